"""H. Consent and cross-site requests: who pressed the button, for what, and was there a button at all."""

import asyncio
from typing import Any

import pytest

from tests.flows.browser import Browser, Page
from tests.flows.today import PKCE
from tests.house import ONE_STORE, App, Build, House, Person, parameters
from valetkey.server.accounts import revoke_app
from valetkey.settings import RegistrationSettings
from valetkey.web.guard import csrf_for

CONSENT = "/oauth/authorize/consent"


@pytest.fixture
async def app(house: House) -> App:
    return await house.make_app()


async def nothing_is_allowed(house: House, person: Person) -> bool:
    return await house.store.connected_apps(person.account.id) == []


FORMS_OF_OTHERS: list[dict[str, Any]] = [
    {"headers": {"sec-fetch-site": "cross-site"}},
    {"headers": {"sec-fetch-site": "same-site"}},
    {"headers": {"origin": "https://evil.example"}},
    {"headers": {"origin": "https://id.example.evil.example"}},
    {"headers": {"origin": "https://evil.example/id.example"}},
    {"headers": {"origin": "file://"}},
    {"headers": {"origin": "https://["}},
    {"headers": {"origin": "https://id.example]"}},
    {"headers": {"origin": "id.example"}},
    {"headers": {"origin": "https://user@id.example"}},
]


@ONE_STORE
@pytest.mark.parametrize("said", FORMS_OF_OTHERS, ids=str)
async def test_H1_H2_a_form_of_another_site(
    house: House, app: App, snoop: Person, browser: Browser, said: dict[str, Any]
) -> None:
    """Refused by where it comes from, even with a token that is right."""
    stranger = house.browser()
    login = (await stranger.open("/accounts/login/")).login_form.fields
    fields = login | {"username": snoop.username, "password": snoop.password}
    answer = await stranger.ask("POST", "/accounts/login/", data=fields, **said)
    assert answer.status_code == 403 and stranger.session is None
    consent = (await browser.open(house.authorize_url(app))).consent_form.fields
    answer = await browser.ask("POST", CONSENT, data=consent | {"decision": "allow"}, **said)
    assert answer.status_code == 403 and "location" not in answer.headers
    others = ("/accounts/logout/", "/accounts/edit/", "/accounts/manage_access/", "/developer/register/")
    for path in (*others, "/device", "/device/consent"):
        assert (await browser.ask("POST", path, data=consent, **said)).status_code == 403
    assert await nothing_is_allowed(house, snoop) and browser.session


AT_THE_DOOR = ("/accounts/login/", "/accounts/signup/")
POSTS = [
    "/accounts/login/",
    "/accounts/logout/",
    "/accounts/signup/",
    "/accounts/edit/",
    "/accounts/email/",
    "/accounts/picture/",
    "/accounts/password/change/",
    "/accounts/sessions/",
    "/accounts/manage_access/",
    "/device",
    "/device/consent",
    "/developer/register/",
    "/developer/apps/APP/settings/",
    "/developer/apps/APP/secret/",
    "/developer/apps/APP/testers/",
    "/developer/apps/APP/testers/remove/",
    "/developer/apps/APP/delete/",
    CONSENT,
]


@ONE_STORE
@pytest.mark.parametrize("path", POSTS)
async def test_H1_H2_no_form_goes_without_its_token(
    house: House, snoop: Person, browser: Browser, path: str
) -> None:
    """CVE-2014-8144. Missing, empty, made up, of another session, of the visitor before login."""
    app = await house.make_app(owner=snoop)
    path = path.replace("APP", app.id)
    other = await house.logged_in(await house.make_account("dre"))
    theirs = await other.csrf()
    nobody = (await house.browser().open("/accounts/login/")).login_form.fields["csrf"]
    before = await house.store.client(app.id), await house.store.account(snoop.account.id)
    before_login = csrf_for(browser.cookies["__Host-valetkey_visitor"])
    for csrf in (None, "", "0" * 64, theirs, nobody, "é" * 64, theirs.upper(), before_login):
        if csrf == before_login and path in AT_THE_DOOR:
            continue
        fields = {} if csrf is None else {"csrf": csrf}
        answer = await browser.ask("POST", path, data=fields | {"decision": "allow", "name": "x"})
        assert answer.status_code == 403, csrf
    assert (await house.store.client(app.id), await house.store.account(snoop.account.id)) == before
    assert browser.session and not (await browser.open("/accounts/edit/")).asks_login


async def test_H1_login_in_a_browser_without_cookies(house: House, snoop: Person) -> None:
    """The token of the attacker's own visit is worth nothing in the victim's browser."""
    attacker = house.browser()
    fields = (await attacker.open("/accounts/login/")).login_form.fields
    fields |= {"username": snoop.username, "password": snoop.password}
    victim = house.browser()
    assert (await victim.ask("POST", "/accounts/login/", data=fields)).status_code == 403
    await victim.open("/accounts/login/")
    assert (await victim.ask("POST", "/accounts/login/", data=fields)).status_code == 403
    assert victim.session is None


async def test_H3_a_ticket_of_another_session(
    house: House, app: App, snoop: Person, browser: Browser
) -> None:
    """hydra#770, CVE-2022-39222: the attacker's question must not be answered by the victim, nor the reverse."""
    attacker = await house.logged_in(dre := await house.make_account("dre"))
    theirs = (await attacker.open(house.authorize_url(app, state="attacker"))).consent_form.fields
    ours = (await browser.open(house.authorize_url(app, state="victim"))).consent_form.fields
    for who, csrf, ticket in ((browser, ours, theirs), (attacker, theirs, ours)):
        fields = {"csrf": csrf["csrf"], "ticket": ticket["ticket"], "decision": "allow"}
        answer = await who.ask("POST", CONSENT, data=fields)
        assert answer.status_code == 400 and "location" not in answer.headers
    again = await house.logged_in(snoop)
    fields = {"csrf": await again.csrf(), "ticket": ours["ticket"], "decision": "allow"}
    answer = await again.ask("POST", CONSENT, data=fields)
    assert answer.status_code == 400, "nor by the same person in another browser"
    assert await nothing_is_allowed(house, snoop) and await nothing_is_allowed(house, dre)


@ONE_STORE
async def test_H4_consent_is_a_post(house: House, app: App, snoop: Person, browser: Browser) -> None:
    fields = (await browser.open(house.authorize_url(app))).consent_form.fields | {"decision": "allow"}
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"):
        for said in ({"params": fields}, {"params": fields | {"_method": "POST"}}, {"data": fields}):
            override = {"x-http-method-override": "POST", "x-method-override": "POST"}
            answer = await browser.ask(method, CONSENT, headers=override, **said)
            assert answer.status_code == 405 and "location" not in answer.headers
    answer = await browser.ask("POST", CONSENT, params=fields)
    assert answer.status_code == 403 and "location" not in answer.headers
    assert await nothing_is_allowed(house, snoop)


async def test_H5_the_request_stays_on_the_server(house: House, app: App, browser: Browser) -> None:
    """What a form says of the request is not listened to; there is nothing in it to alter."""
    page = await browser.open(house.authorize_url(app, state="mine"))
    form = page.consent_form
    assert form.hidden == {"csrf", "ticket"} and form.action == CONSENT
    altered = {
        "client_id": "f" * 32,
        "redirect_uri": "https://evil.example/",
        "scope": "basic likes comments",
        "state": "theirs",
        "response_type": "token",
        "approve": "1",
    }
    page = await browser.submit(page, form, {"decision": "allow"} | altered)
    assert page.left is not None and page.left.startswith(app.redirect_uri + "?code=")
    assert parameters(page.left)["state"] == "mine"
    line = (await house.store.connected_apps(house.people["snoopdogg"].account.id))[0]
    assert line.scope == ("basic",)


@ONE_STORE
@pytest.mark.parametrize(
    "decision", [None, "", "Allow", "ALLOW", "yes", "true", "1", "allow ", "allowdeny", "on", "al\0low"]
)
async def test_H6_what_is_not_a_decision_is_no_yes(
    house: House, app: App, snoop: Person, browser: Browser, decision: str | None
) -> None:
    page = await browser.open(house.authorize_url(app))
    page = await browser.submit(page, page.consent_form, {"decision": decision})
    assert page.status == 400 and page.left is None
    assert await nothing_is_allowed(house, snoop)


async def test_H6_two_decisions_are_none(house: House, app: App, snoop: Person, browser: Browser) -> None:
    fields = (await browser.open(house.authorize_url(app))).consent_form.fields
    for both in (["allow", "deny"], ["deny", "allow"], ["allow", "allow"]):
        answer = await browser.ask("POST", CONSENT, data=fields | {"decision": both})
        assert answer.status_code == 400 and "location" not in answer.headers
    assert await nothing_is_allowed(house, snoop)


async def test_H7_tabs_do_not_mix(house: House, app: App, browser: Browser) -> None:
    """Each question has its own ticket; each answer goes to the address that its own question was about."""
    other = await house.make_app("https://reader.example/cb", name="Story Reader")
    one = await browser.open(house.authorize_url(app, state="one"))
    two = await browser.open(house.authorize_url(other, state="two", scope="likes"))
    three = await browser.open(
        house.authorize_url(app, state="three", redirect_uri=app.redirect_uri + "?x=y")
    )
    assert len({page.consent_form.fields["ticket"] for page in (one, two, three)}) == 3
    page = await browser.consent(one, "allow")
    assert page.left is not None and page.left.startswith(app.redirect_uri + "?code=")
    assert parameters(page.left)["state"] == "one"
    page = await browser.consent(three, "allow")
    assert page.left is not None and page.left.startswith(app.redirect_uri + "?x=y&code=")
    page = await browser.consent(two, "deny")
    assert page.left is not None and page.left.startswith("https://reader.example/cb?error=access_denied")
    assert parameters(page.left)["state"] == "two"


async def test_H7_two_tabs_at_the_login_page(house: House, app: App, snoop: Person) -> None:
    """Logging in with one does not spoil the other, and each goes on to its own question."""
    browser = house.browser()
    other = await house.make_app("https://reader.example/cb", name="Story Reader")
    one, two = [await browser.open(house.authorize_url(each)) for each in (app, other)]
    page = await browser.login(two, snoop.username, snoop.password)
    assert page.asks_consent and "Story Reader" in page.text
    page = await browser.login(one, snoop.username, snoop.password)
    assert page.asks_consent and "Photo Printer" in page.text


async def test_H7_a_ticket_is_good_once(house: House, app: App, browser: Browser) -> None:
    for first, second in (("deny", "allow"), ("allow", "allow"), ("allow", "deny")):
        page = await browser.open(house.authorize_url(app, scope="likes", response_type="code"))
        if page.left is not None:
            await revoke_app(house.server, house.people["snoopdogg"].account, app.id)
            page = await browser.open(house.authorize_url(app, scope="likes"))
        assert (await browser.consent(page, first)).left
        again = await browser.consent(page, second)
        assert again.status == 400 and again.left is None


async def test_H7_twenty_presses_at_once_are_one_yes(house: House, app: App, browser: Browser) -> None:
    worker = await house.another_worker()
    page = await browser.open(house.authorize_url(app))
    fields = page.consent_form.fields | {"decision": "allow"}
    others = [house.browser(), Browser(browser.site, worker.http("192.0.2.7"))]
    for other in others:
        other.cookies = browser.cookies
    tries = [others[turn % 2].ask("POST", CONSENT, data=fields) for turn in range(20)]
    answers = await asyncio.gather(*tries)
    assert sorted(answer.status_code for answer in answers) == [302] + [400] * 19


async def test_H7_a_question_is_open_for_an_hour(
    house: House, app: App, snoop: Person, browser: Browser
) -> None:
    page = await browser.open(house.authorize_url(app))
    house.clock.forward(3600)
    late = await browser.consent(page, "allow")
    assert late.status == 400 and late.left is None and await nothing_is_allowed(house, snoop)
    assert "asked too long ago" in late.text


async def test_H8_who_is_asked_again(house: House, browser: Browser) -> None:
    """CVE-2023-34246: a public client never gets a silent yes; nor do other scopes, nor the implicit flow."""
    public = await house.make_app(name="Public", type="native", profile="oauth21")
    app = await house.make_app(allow_implicit=True)
    await house.allow(browser, public, **PKCE)
    await house.allow(browser, app)
    for url in (
        house.authorize_url(public, **PKCE),
        house.authorize_url(app, response_type="token"),
        house.authorize_url(app, scope="likes"),
        house.authorize_url(app, scope="basic likes"),
        house.authorize_url(app, prompt="none", scope="likes"),
    ):
        assert (await browser.open(url)).asks_consent, url


@ONE_STORE
async def test_H8_an_app_that_registered_itself_cannot_take_a_yes_elsewhere(build: Build) -> None:
    """Whoever gets hold of its registration names an address of their own, and nobody is sent there unasked."""
    house: House = await build(registration=RegistrationSettings(mode="open"))
    browser = await house.logged_in(await house.make_account())
    said: dict[str, Any] = {"client_name": "Agent", "redirect_uris": ["https://agent.example/callback"]}
    made = (await house.http().post("/oauth/register", json=said)).json()
    bearer = {"authorization": f"Bearer {made['registration_access_token']}"}

    async def change(*uris: str) -> App:
        place = f"/oauth/register/{made['client_id']}"
        new = said | {"client_id": made["client_id"], "redirect_uris": list(uris)}
        assert (await house.http().put(place, json=new, headers=bearer)).status_code == 200
        client = await house.store.client(made["client_id"])
        assert client is not None
        return App(client, made["client_secret"])

    honest, elsewhere = said["redirect_uris"][0], "https://evil.example/callback"
    app = await change(honest)
    await house.allow(browser, app, **PKCE)
    house.clock.forward(60)
    assert (await browser.open(house.authorize_url(await change(honest), **PKCE))).left, "nothing has changed"
    app = await change(honest, elsewhere)
    for uri in (elsewhere, honest):
        page = await browser.open(house.authorize_url(app, redirect_uri=uri, **PKCE))
        assert page.asks_consent and page.left is None
        silent = await browser.open(house.authorize_url(app, redirect_uri=uri, prompt="none", **PKCE))
        assert parameters(silent.left or "")["error"] == "consent_required"
    house.clock.forward(1)
    await house.allow(browser, app, **PKCE)
    app = await change(honest)  # to name fewer takes nothing anywhere
    assert (await browser.open(house.authorize_url(app, **PKCE))).left


async def test_H9_taking_it_back_ends_everything_at_once(
    house: House, app: App, snoop: Person, browser: Browser
) -> None:
    """Tokens, the codes under way, the remembered yes, and the question that is still open in another tab."""
    worker = await house.another_worker()
    token = await house.token(browser, app)
    code = await house.code(browser, app)
    other = await house.make_app(name="Other")
    kept = await house.token(browser, other)
    page = await browser.open("/accounts/manage_access/")
    await browser.submit(page, page.form("/manage_access/"), {"client_id": app.id})
    assert not await house.lives(token) and not await worker.lives(token)
    assert (await worker.exchange(app, code)).status_code == 400
    assert (await browser.open(house.authorize_url(app))).asks_consent
    assert await house.lives(kept)
    again = await house.token(browser, app)
    assert await house.lives(again) and not await house.lives(token), "a new yes revives nothing"
    assert (await house.exchange(app, code)).status_code == 400


async def test_H9_nobody_takes_back_what_is_somebody_else_s(house: House, app: App, browser: Browser) -> None:
    token = await house.token(browser, app)
    dre = await house.logged_in(await house.make_account("dre"))
    await house.allow(dre, app)
    page = await dre.open("/accounts/manage_access/")
    await dre.submit(page, page.form("/manage_access/"), {"client_id": app.id})
    assert await house.lives(token)


async def test_H2_the_confirmation_screen_leads_to_the_app_and_nowhere_else(
    house: House, app: App, browser: Browser
) -> None:
    """form-action names the scheme of the client's redirect_uri; the browser itself refuses all others."""
    page: Page = await browser.open(house.authorize_url(app))
    policy = page.response.headers["content-security-policy"]
    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert directives["form-action"] == "'self' https:"
    assert directives["default-src"] == "'none'" and directives["frame-ancestors"] == "'none'"
