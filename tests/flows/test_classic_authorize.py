"""The authorization endpoint of the classic profile: what the origin document leaves open (classic.md 2)."""

from typing import Any

import pytest

from tests.flows.browser import Browser, Page
from tests.house import Build, House, parameters
from valetkey.settings import ConsentSettings, TokenSettings

MUST_INCLUDE = "You must include a valid client_id, response_type, and redirect_uri parameters"


async def as_json(house: House, url: str, browser: Browser | None = None) -> tuple[int, Any]:
    """What a program is told at this address; it must not be sent anywhere."""
    answer = await (browser or house.browser()).ask("GET", url, headers={"accept": "application/json"})
    assert "location" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, answer.json()


def flat(message: str, code: int = 400, kind: str = "OAuthException") -> tuple[int, dict[str, object]]:
    return code, {"code": code, "error_type": kind, "error_message": message}


async def test_both_spellings_of_the_address_answer_directly(house: House) -> None:
    app = await house.make_app()
    browser = await house.logged_in(await house.make_account())
    url = house.authorize_url(app)
    for address in (url, url.replace("/authorize/", "/authorize")):
        answer = await browser.ask("GET", address)
        assert answer.status_code == 200 and Page(address, answer).asks_consent
        assert (await browser.ask("HEAD", address)).status_code == 405


@pytest.mark.parametrize(
    ("reads", "told"),
    [
        ("text/html,*/*;q=0.8", "text/html"),
        ("TEXT/HTML", "text/html"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("", "application/json"),
    ],
)
async def test_people_are_shown_a_page_and_programs_json(house: House, reads: str, told: str) -> None:
    url = house.authorize_url(await house.make_app(), client_id="0" * 32)
    answer = await house.browser().ask("GET", url, headers={"accept": reads})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (400, told)


async def test_unknown_parameters_are_ignored(house: House) -> None:
    app = await house.make_app()
    browser = await house.logged_in(await house.make_account())
    where = await house.allow(
        browser, app, prompt="none", nonce="n", request_uri="https://evil.example/", hl="de"
    )
    assert set(parameters(where)) == {"code"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"client_id": None}, MUST_INCLUDE),
        ({"client_id": ""}, MUST_INCLUDE),
        ({"redirect_uri": None}, MUST_INCLUDE),
        ({"redirect_uri": ""}, MUST_INCLUDE),
        ({"response_type": None}, MUST_INCLUDE),
        ({"client_id": "0123456789abcdef0123456789abcdef"}, "Invalid Client ID"),
        ({"redirect_uri": "https://evil.example/"}, "Redirect URI does not match registered redirect URI"),
        ({"response_type": "id_token"}, 'Only response type "code" and "token" is allowed'),
        ({"response_type": "code token"}, 'Only response type "code" and "token" is allowed'),
        ({"response_type": "Code"}, 'Only response type "code" and "token" is allowed'),
        ({"scope": "basic fly swim"}, "Invalid scope field(s): fly, swim"),
    ],
)
async def test_errors_are_shown_and_never_redirected(
    house: House, change: dict[str, str | None], message: str
) -> None:
    """To people as a page with a reference, to programs as flat JSON; whether somebody is logged in or not."""
    app = await house.make_app()
    url = house.authorize_url(app, state="s", **change)
    for browser in (house.browser(), await house.logged_in(await house.make_account())):
        assert await as_json(house, url, browser) == flat(message)
        page = await browser.open(url)
        assert page.status == 400 and page.left is None
        assert not page.asks_login and not page.asks_consent
        assert "Reference" in page.text
        for bad in change.values():
            assert not any(bad and bad in link for link in page.links), "no link to a bad address"


async def test_the_implicit_flow_is_an_app_s_switch(house: House) -> None:
    app = await house.make_app()
    status_and_body = await as_json(house, house.authorize_url(app, response_type="token"))
    assert status_and_body == flat("Implicit authentication is disabled", 403, "OAuthForbiddenException")
    page = await house.browser().open(house.authorize_url(app, response_type="token"))
    assert page.status == 403 and not page.asks_login


async def test_an_app_in_development_is_for_its_owner_and_invited_people(house: House) -> None:
    """'You are not a sandbox user of this client'"""
    owner, tester, stranger = [await house.make_account(name) for name in ("owner", "tester", "stranger")]
    app = await house.make_app(owner=owner, sandbox=True)
    url = house.authorize_url(app)
    browser = await house.logged_in(owner)
    page = await browser.fill(f"/developer/apps/{app.id}/", "/testers/", username="Tester")
    assert "Invited." in page.text
    assert (await browser.open(url)).asks_consent
    invited = await house.logged_in(tester)
    code = await house.code(invited, app)
    assert (await house.exchange(app, code)).status_code == 200
    outside = await house.logged_in(stranger)
    refused = flat("You are not a sandbox user of this client", 403, "OAuthForbiddenException")
    assert await as_json(house, url, outside) == refused
    page = await outside.open(url)
    assert page.status == 403 and page.left is None and not page.asks_consent
    await browser.submit(
        page := await browser.open(f"/developer/apps/{app.id}/"),
        page.form("/testers/remove/"),
        {"tester": str(tester.account.id)},
    )
    assert await as_json(house, url, invited) == refused


async def test_consent_is_asked_once(house: House) -> None:
    """Once per account, client and set of scopes; then people are redirected at once."""
    app = await house.make_app()
    browser = await house.logged_in(snoop := await house.make_account())
    await house.allow(browser, app)
    for more in ({}, {"scope": "basic"}, {"state": "s"}, {"redirect_uri": app.redirect_uri + "?a=b"}):
        page = await browser.open(house.authorize_url(app, **more))
        assert page.left is not None and parameters(page.left)["code"]
    other_app = await house.make_app(name="Another")
    assert (await browser.open(house.authorize_url(other_app))).asks_consent
    other_person = await house.logged_in(await house.make_account("dre", "Dr. Dre"))
    assert (await other_person.open(house.authorize_url(app))).asks_consent
    again = await house.logged_in(snoop)
    assert (await again.open(house.authorize_url(app))).left, (
        "it is the account that remembers, not the browser"
    )


async def test_wider_scopes_are_asked_for_and_only_what_is_new(house: House) -> None:
    app = await house.make_app()
    browser = await house.logged_in(await house.make_account())
    await house.allow(browser, app, scope="likes")
    page = await browser.open(house.authorize_url(app, scope="basic likes comments"))
    new, _, already = page.text.partition("What it may do already")
    assert "Write and delete comments" in new
    assert "See your profile" not in new and "Like and unlike" not in new
    assert "See your profile" in already and "Like and unlike" in already
    page = await browser.consent(page, "deny")
    page = await browser.open(house.authorize_url(app, scope="comments"))
    assert page.asks_consent, "a no widens nothing"
    await browser.consent(page, "allow")
    for scope in ("likes comments", "comments", "likes", "basic"):
        assert (await browser.open(house.authorize_url(app, scope=scope))).left, scope


async def test_a_narrower_request_does_not_narrow_what_was_allowed(house: House) -> None:
    app = await house.make_app(allow_implicit=True)
    browser = await house.logged_in(snoop := await house.make_account())
    await house.allow(browser, app, scope="likes comments")
    await house.allow(browser, app, scope="likes", response_type="token")
    line = (await house.store.connected_apps(snoop.account.id))[0]
    assert set(line.scope) == {"basic", "likes", "comments"}


async def test_the_implicit_flow_and_public_clients_are_asked_every_time(house: House) -> None:
    app = await house.make_app(allow_implicit=True)
    public = await house.make_app(name="Public", type="spa", allow_implicit=True)
    browser = await house.logged_in(await house.make_account())
    await house.allow(browser, app)
    for each in (app, public):
        for _ in range(2):
            page = await browser.open(house.authorize_url(each, response_type="token"))
            assert page.asks_consent and "See your profile" in page.text
            await browser.consent(page, "allow")
    for _ in range(2):
        page = await browser.open(house.authorize_url(public, response_type="code"))
        assert page.asks_consent, "anybody can pretend to be a public client"
        await browser.consent(page, "allow")


async def test_an_operator_may_have_it_asked_every_time(build: Build) -> None:
    house = await build(consent=ConsentSettings(remember=False))
    app = await house.make_app()
    browser = await house.logged_in(await house.make_account())
    for _ in range(2):
        page = await browser.open(house.authorize_url(app))
        assert page.asks_consent
        await browser.consent(page, "allow")


async def test_a_code_lives_ten_minutes(house: House) -> None:
    app = await house.make_app()
    browser = await house.logged_in(await house.make_account())
    code = await house.code(browser, app)
    house.clock.forward(599)
    assert (await house.exchange(app, code)).status_code == 200
    code = await house.code(browser, app)
    house.clock.forward(600)
    answer = await house.exchange(app, code)
    assert answer.status_code == 400
    assert answer.json()["error_message"] == "Matching code was not found or was already used."


async def test_a_token_of_the_server_side_flow_lives_until_it_is_revoked(house: House) -> None:
    app = await house.make_app()
    token = await house.token(await house.logged_in(await house.make_account()), app)
    house.clock.forward(10 * 365 * 24 * 3600)
    assert await house.lives(token)


@pytest.mark.parametrize("lifetime", [None, 120])
async def test_a_token_of_the_implicit_flow_lives_an_hour_or_as_set(
    build: Build, lifetime: int | None
) -> None:
    said = {} if lifetime is None else {"tokens": TokenSettings(implicit_lifetime=lifetime)}
    house = await build(**said)
    app = await house.make_app(allow_implicit=True)
    browser = await house.logged_in(await house.make_account())
    where = await house.allow(browser, app, response_type="token")
    token = where.partition("#access_token=")[2]
    house.clock.forward((lifetime or 3600) - 1)
    assert await house.lives(token)
    house.clock.forward(1)
    assert not await house.lives(token)


async def test_a_private_use_scheme_for_native_apps(house: House) -> None:
    """Old iOS apps use ig<client_id>://authorize."""
    app = await house.make_app("ig0123abc://authorize", type="native", allow_implicit=True)
    browser = await house.logged_in(await house.make_account())
    page = await browser.open(house.authorize_url(app, response_type="token"))
    assert "ig0123abc:" in page.response.headers["content-security-policy"]
    page = await browser.consent(page, "allow")
    assert (page.left or "").startswith("ig0123abc://authorize#access_token=")


async def test_the_redirect_itself_says_as_little_as_it_can(house: House) -> None:
    app = await house.make_app()
    browser = await house.logged_in(await house.make_account())
    page = await browser.consent(await browser.open(house.authorize_url(app)), "allow")
    answer = page.response
    assert answer.status_code == 302 and answer.content == b""
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_several_redirect_uris(house: House) -> None:
    app = await house.make_app("https://one.example/cb", "http://two.example/cb?x=1")
    browser = await house.logged_in(await house.make_account())
    for uri in app.client.redirect_uris:
        where = await house.allow(browser, app, redirect_uri=uri)
        code = parameters(where)["code"]
        assert (await house.exchange(app, code, redirect_uri=uri)).status_code == 200


async def test_not_you_leads_to_another_login_and_back(house: House) -> None:
    app = await house.make_app()
    browser = await house.logged_in(await house.make_account())
    dre = await house.make_account("dre", "Dr. Dre")
    page = await browser.open(house.authorize_url(app, state="s"))
    away = next(link for link in page.links if link.startswith("/accounts/login/"))
    page = await browser.login(await browser.open(away), dre.username, dre.password)
    assert page.asks_consent and "Dr. Dre" in page.text
    page = await browser.consent(page, "allow")
    answer = await house.exchange(app, parameters(page.left or "")["code"])
    assert answer.json()["user"]["username"] == "dre"


async def test_people_can_sign_up_on_the_way(house: House) -> None:
    app = await house.make_app()
    browser = house.browser()
    page = await browser.open(house.authorize_url(app, state="s"))
    page = await browser.open(next(link for link in page.links if link.startswith("/accounts/signup/")))
    answers = {"username": "nate", "full_name": "Nate Dogg", "email": "nate@mail.example"}
    page = await browser.submit(
        page, page.form("/signup/"), answers | {"password": "regulate all of it 1994"}
    )
    assert page.asks_consent and "Nate Dogg" in page.text
    page = await browser.consent(page, "allow")
    assert parameters(page.left or "")["state"] == "s"
