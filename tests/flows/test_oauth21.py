"""The seam: the same server under today's rules. PKCE, exact redirects, RFC 6749's own JSON, `iss` in every answer."""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

import pytest
from msgspec.structs import replace

from tests.flows.browser import Browser
from tests.flows.today import CHALLENGE, PKCE, VERIFIER, basic, check_refused, redeem
from tests.house import SITE, App, House, parameters
from valetkey.server import clients


def test_the_verifier_belongs_to_the_challenge() -> None:
    made = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
    assert made.decode() == CHALLENGE


async def test_the_whole_flow(house: House, app: App, browser: Browser) -> None:
    where = await house.allow(browser, app, scope="basic likes", state="s t", **PKCE)
    assert where.startswith(app.redirect_uri + "?code=") and where.endswith(
        f"&state=s+t&iss={quote_plus(SITE)}"
    )
    code = parameters(where)["code"]
    answer = await redeem(house, app, code)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "scope", "expires_in", "refresh_token"}
    assert (body["token_type"], body["scope"], body["expires_in"]) == ("Bearer", "basic likes", 3600)
    assert re.fullmatch(r"vk_at_[0-9a-f]{12}[A-Za-z0-9_-]{43}[A-Za-z0-9]{6}", body["access_token"])
    assert await house.lives(body["access_token"])
    house.clock.forward(3600)
    assert not await house.lives(body["access_token"])


async def test_the_redirect_uri_is_exact(house: House, app: App, browser: Browser) -> None:
    for other in ("?a=b", "?", "/", "&a=b"):
        page = await browser.open(house.authorize_url(app, redirect_uri=app.redirect_uri + other, **PKCE))
        assert page.status == 400 and page.left is None
    answer = await browser.ask(
        "GET",
        house.authorize_url(app, redirect_uri=app.redirect_uri + "?a=b", **PKCE),
        headers={"accept": "application/json"},
    )
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"scope": "basic fly"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
    ],
)
async def test_errors_go_to_the_client(
    house: House, app: App, browser: Browser, change: dict[str, str | None], error: str
) -> None:
    """RFC 6749 4.1.2.1, once the redirect_uri is trusted and somebody is logged in; with state and iss."""
    stranger, snoop = house.browser(), house.people["snoopdogg"]
    for each in (browser, stranger):
        page = await each.open(house.authorize_url(app, **({"state": "x/y"} | PKCE | change)))
        if each is stranger:
            assert page.asks_login
            page = await each.login(page, snoop.username, snoop.password)
        assert page.left is not None and page.left.startswith(app.redirect_uri + "?")
        said = parameters(page.left)
        assert set(said) == {"error", "error_description", "state", "iss"}
        assert (said["error"], said["state"], said["iss"]) == (error, "x/y", SITE)
        assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]+", said["error_description"])


async def test_a_denial(house: House, app: App, browser: Browser) -> None:
    page = await browser.open(house.authorize_url(app, state="s", **PKCE))
    page = await browser.consent(page, "deny")
    assert page.left is not None
    said = parameters(page.left)
    assert (said["error"], said["state"], said["iss"]) == ("access_denied", "s", SITE)
    assert "error_reason" not in said and "code" not in said


async def test_a_bad_client_or_redirect_uri_goes_nowhere(house: House, app: App, browser: Browser) -> None:
    for change in (
        {"client_id": "f" * 32},
        {"redirect_uri": "https://evil.example/"},
    ):
        page = await browser.open(house.authorize_url(app, **(PKCE | change)))
        assert page.status == 400 and page.left is None


async def test_the_verifier(house: House, app: App, browser: Browser) -> None:
    code = await house.code(browser, app, **PKCE)
    for other in (None, "", CHALLENGE, VERIFIER[:-1], VERIFIER + "A", "a" * 43, "ü" * 43, "x"):
        check_refused(await redeem(house, app, code, code_verifier=other), "invalid_grant")
    assert (await redeem(house, app, code)).status_code == 200


async def test_the_redirect_uri_at_the_token_endpoint(house: House, app: App, browser: Browser) -> None:
    """OAuth 2.1 dropped it; a client that still sends it sends the right one. OAuth 2.0 demands it."""
    code = await house.code(browser, app, **PKCE)
    check_refused(await redeem(house, app, code, redirect_uri="https://app.example/other"), "invalid_grant")
    assert (await redeem(house, app, code, redirect_uri=app.redirect_uri)).status_code == 200
    older = await house.make_app(profile="oauth20", name="Older")
    code = await house.code(browser, older, **PKCE)
    check_refused(await redeem(house, older, code), "invalid_request")
    assert (await redeem(house, older, code, redirect_uri=older.redirect_uri)).status_code == 200


async def test_an_app_with_one_redirect_uri_need_not_name_it(house: House, browser: Browser) -> None:
    """RFC 6749 3.1.2.3; then the token request need not either (4.1.3), and names no other."""
    for profile in ("oauth20", "oauth21"):
        app = await house.make_app(profile=profile, name=profile)
        for again in (None, app.redirect_uri):
            where = await house.allow(browser, app, redirect_uri=None, **PKCE)
            assert where.startswith(app.redirect_uri + "?code=")
            code = parameters(where)["code"]
            other = await redeem(house, app, code, redirect_uri="https://app.example/other")
            check_refused(other, "invalid_grant")
            assert (await redeem(house, app, code, redirect_uri=again)).status_code == 200


async def test_basic(house: House, app: App, browser: Browser) -> None:
    bare = {"client_id": None, "client_secret": None}
    code = await house.code(browser, app, **PKCE)
    right = basic(app.id, app.secret or "")
    check_refused(await redeem(house, app, code, authorization=right), "invalid_request")
    check_refused(
        await redeem(house, app, code, client_id="f" * 32, client_secret=None, authorization=right),
        "invalid_request",
    )
    for wrong in (
        basic(app.id, "x"),
        basic("f" * 32, app.secret or ""),
        "Basic",
        "Basic e",
        basic(app.id, ""),
    ):
        check_refused(await redeem(house, app, code, authorization=wrong, **bare), "invalid_client")
    also = {"client_id": app.id, "client_secret": None, "authorization": right}
    answer = await redeem(house, app, code, **also)
    assert answer.status_code == 200, "client_id beside it is borne if it is the same"
    code = await house.code(browser, app, **PKCE)
    assert (await redeem(house, app, code, authorization=right, **bare)).status_code == 200


async def test_basic_is_form_encoded(house: House, browser: Browser) -> None:
    """RFC 6749 2.3.1: a secret that quote_plus changes is understood (secrets of ours have - and _ only)."""
    from msgspec.structs import replace

    from valetkey.protocol.changes import Save
    from valetkey.server import mint

    app = await house.make_app(profile="oauth20", name="Odd secret")
    odd = "a+b %/:é"
    changed = replace(app.client, secrets=(mint.kept(odd, house.clock()),), version=2)
    await house.store.apply((Save(changed),))
    code = await house.code(browser, app)
    fields = house.exchange_fields(app, code, client_id=None, client_secret=None)
    headers = {"authorization": basic(app.id, odd)}
    answer = await house.http().post("/oauth/token", data=fields, headers=headers)
    assert answer.status_code == 200, answer.text


async def test_client_authentication(house: House, app: App, browser: Browser) -> None:
    code = await house.code(browser, app, **PKCE)
    for change in (
        {"client_id": "f" * 32},
        {"client_secret": "x"},
        {"client_secret": None},
        {"client_id": None},
    ):
        check_refused(await redeem(house, app, code, **change), "invalid_client")
    assert (await redeem(house, app, code)).status_code == 200


async def test_a_public_client(house: House, browser: Browser) -> None:
    app = await house.make_app(profile="oauth21", type="spa", name="Browser app")
    assert app.secret is None
    code = await house.code(browser, app, **PKCE)
    check_refused(await redeem(house, app, code, client_secret="made up"), "invalid_client")
    check_refused(await redeem(house, app, code, code_verifier=None), "invalid_grant")
    answer = await redeem(house, app, code)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*", "its page is on another site"
    older = await house.make_app(profile="oauth20", type="native", name="Phone")
    page = await browser.open(house.authorize_url(older))
    assert parameters(page.left or "")["error"] == "invalid_request", "a public client without PKCE"


async def test_missing_and_unknown_grant_types(house: House, app: App, browser: Browser) -> None:
    code = await house.code(browser, app, **PKCE)
    check_refused(await redeem(house, app, code, grant_type=None), "invalid_request")
    check_refused(await redeem(house, app, ""), "invalid_request")
    for other in ("password", "implicit", "refresh-token"):
        check_refused(await redeem(house, app, code, grant_type=other), "unsupported_grant_type")
    check_refused(await redeem(house, app, code, grant_type="client_credentials"), "unauthorized_client")


async def test_a_code_lives_a_minute_and_a_replay_revokes(house: House, app: App, browser: Browser) -> None:
    code = await house.code(browser, app, **PKCE)
    house.clock.forward(60)
    check_refused(await redeem(house, app, code), "invalid_grant")
    code = await house.code(browser, app, scope="basic", **PKCE)
    token = (await redeem(house, app, code)).json()["access_token"]
    check_refused(await redeem(house, app, code, code_verifier="a" * 43), "invalid_grant")
    assert await house.lives(token), "who has no verifier has no code"
    check_refused(await redeem(house, app, code), "invalid_grant")
    assert not await house.lives(token)


async def test_every_app_has_one_token_endpoint(house: House, app: App, browser: Browser) -> None:
    """A classic client is unknown at /oauth/token, and one of today at /oauth/access_token."""
    classic = await house.make_app(name="Classic")
    code = await house.code(browser, classic)
    check_refused(
        await redeem(house, classic, code, redirect_uri=classic.redirect_uri, code_verifier=None),
        "invalid_client",
        401,
    )
    assert (await house.exchange(classic, code)).status_code == 200
    code = await house.code(browser, app, **PKCE)
    answer = await house.exchange(app, code, code_verifier=VERIFIER)
    assert (answer.status_code, answer.json()["error_message"]) == (400, "Invalid Client ID")
    assert (await redeem(house, app, code)).status_code == 200


async def test_a_classic_client_may_use_pkce_and_is_then_held_to_it(house: House, browser: Browser) -> None:
    app = await house.make_app(name="Classic")
    code = await house.code(browser, app, **PKCE)
    assert (await house.exchange(app, code)).status_code == 400
    assert (await house.exchange(app, code, code_verifier="a" * 43)).status_code == 400
    assert (await house.exchange(app, code, code_verifier=VERIFIER)).status_code == 200


async def test_requests_that_cannot_be_read(house: House) -> None:
    said: Any
    for method, query, body, status in (
        ("GET", b"", b"", 405),
        ("POST", b"", b"a=1&a=2", 400),
        ("POST", b"grant_type=authorization_code", b"client_id=x", 400),
        ("POST", b"", b"x" * 70_000, 413),
    ):
        answer = await house.raw(method, "/oauth/token", query, body=body)
        said = answer.json()
        assert (answer.status, said["error"]) == (status, "invalid_request")
        assert answer.header("cache-control") == "no-store"
    answer = await house.raw("OPTIONS", "/oauth/token", headers=[(b"origin", b"https://app.example")])
    assert (answer.status, answer.header("access-control-allow-methods")) == (204, "POST")
    assert answer.header("content-length") is None  # RFC 9110 8.6


async def test_the_implicit_flow_cannot_be_had(house: House, browser: Browser) -> None:
    page = await browser.open("/developer/register/")
    answers = {"name": "x", "type": "spa", "profile": "oauth21", "redirect_uris": "https://spa.example/"}
    await browser.submit(page, page.form("/register/"), answers | {"sandbox": None})
    owner = house.people["snoopdogg"].account.id
    (client,) = await house.store.clients_of(owner)
    assert not client.allow_implicit
    url = f"/oauth/authorize?client_id={client.id}&redirect_uri=https://spa.example/&response_type=token"
    page = await browser.open(url)
    assert dict(parse_qsl(urlsplit(page.left or "").query))["error"] == "unsupported_response_type"


async def test_state_is_carried_through(house: House, app: App, browser: Browser) -> None:
    for state in ("%7B%22a%22%3A1%7D", "a+b", "x" * 2000):
        page = await browser.open(f"{house.authorize_url(app, **PKCE)}&state={state}")
        if page.left is None:
            page = await browser.consent(page, "allow")
        assert f"&state={state}&iss=" in (page.left or "")


async def test_an_app_that_leaves_classic_holds_no_token_without_an_end(
    house: House, browser: Browser
) -> None:
    """G4: it is held to the rules that it lives under by now; whoever moved it by mistake moves it back."""
    app = await house.make_app(profile="classic")
    old = await house.token(browser, app)
    house.clock.forward(3000)
    young = await house.token(browser, app)
    house.clock.forward(600)
    assert await house.lives(old) and await house.lives(young)
    form = clients.form_of(app.client)
    owner = house.people["developer"].account
    await clients.edit(house.server, owner, app.id, replace(form, profile="oauth21"))
    assert not await house.lives(old) and await house.lives(young)
    house.clock.forward(3000)
    assert not await house.lives(young)
    await clients.edit(house.server, owner, app.id, form)
    assert await house.lives(old) and await house.lives(young)
