"""Pushed authorization requests from both ends: the client pushes, the browser carries one word (RFC 9126)."""

import asyncio
from urllib.parse import urlencode

from tests.flows.browser import Browser
from tests.flows.today import PKCE, VERIFIER, address, basic, check_refused, push, pushed, redeem
from tests.house import ONE_STORE, SITE, App, House, Person, parameters
from tests.signing import Signer
from valetkey.protocol.rules.pushed_request import LIFETIME


async def test_the_whole_flow(house: House, app: App, snoop: Person) -> None:
    answer = await push(house, app, scope="basic likes")
    assert answer.status_code == 201 and set(answer.json()) == {"request_uri", "expires_in"}
    request_uri, expires_in = answer.json().values()
    assert request_uri.startswith("urn:ietf:params:oauth:request_uri:") and len(request_uri) == 34 + 43
    assert 5 <= expires_in == LIFETIME < 600
    browser = house.browser()
    page = await browser.open(address(app, request_uri, state="ignored", scope="comments"))
    assert page.asks_login and "form-action 'self' https:" in page.response.headers["content-security-policy"]
    page = await browser.login(page, snoop.username, snoop.password)
    assert "Like and unlike things" in page.text and "Write and delete" not in page.text
    page = await browser.consent(page, "allow")
    said = parameters(page.left or "")
    assert (said["state"], said["iss"]) == ("s t", SITE)
    token = await redeem(house, app, said["code"])
    assert token.status_code == 200 and token.json()["scope"] == "basic likes"


async def test_it_is_answered_once_and_asked_as_often_as_it_takes(
    house: House, app: App, browser: Browser
) -> None:
    url = address(app, await pushed(house, app))
    first, second = await browser.open(url), await browser.open(url)
    assert first.asks_consent and second.asks_consent, "reloading is no use"
    assert "code" in parameters((await browser.consent(first, "allow")).left or "")
    for page in (await browser.consent(second, "allow"), await browser.open(url)):
        assert page.status == 400 and page.left is None
    json = await browser.ask("GET", url, headers={"accept": "application/json"})
    assert (json.status_code, json.json()["error"]) == (400, "invalid_request_uri")


async def test_a_denial_answers_it_too(house: House, app: App, browser: Browser) -> None:
    url = address(app, await pushed(house, app))
    page = await browser.consent(await browser.open(url), "deny")
    assert parameters(page.left or "")["error"] == "access_denied"
    assert (await browser.open(url)).status == 400


async def test_its_time(house: House, app: App, browser: Browser) -> None:
    url, other = address(app, await pushed(house, app)), address(app, await pushed(house, app))
    house.clock.forward(LIFETIME - 1)
    page = await browser.open(url)
    assert page.asks_consent
    house.clock.forward(3000)
    await house.store.clean(house.clock(), 1000)
    assert (await browser.open(other)).status == 400, "nobody was asked in time"
    assert "code" in parameters((await browser.consent(page, "allow")).left or ""), "who was asked in time"


async def test_another_client_cannot_use_it(house: House, app: App, browser: Browser) -> None:
    other = await house.make_app(profile="oauth21", name="Other")
    page = await browser.open(address(other, await pushed(house, app)))
    assert page.status == 400 and page.left is None


async def test_what_is_refused(house: House, app: App) -> None:
    for change, code, status in (
        ({"client_secret": "x"}, "invalid_client", 401),
        ({"client_secret": None}, "invalid_client", 401),
        ({"client_id": "f" * 32}, "invalid_client", 401),
        ({"redirect_uri": "https://evil.example/"}, "invalid_request", 400),
        ({"response_type": "token"}, "unsupported_response_type", 400),
        ({"scope": "fly"}, "invalid_scope", 400),
        ({"code_challenge": None}, "invalid_request", 400),
        ({"request_uri": "https://evil.example/"}, "invalid_request", 400),
    ):
        check_refused(await push(house, app, **change), code, status)
    classic = await house.make_app(name="Classic")
    check_refused(await push(house, classic), "invalid_client")
    for method in ("GET", "PUT", "HEAD"):
        answer = await house.raw(method, "/oauth/par")
        assert (answer.status, answer.header("allow")) == (405, "POST")
    answer = await house.raw("POST", "/oauth/par", b"", body=b"state=1&state=2")
    assert (answer.status, answer.json()["error"]) == (400, "invalid_request")
    answer = await house.raw("POST", "/oauth/par", b"", body=b"x" * 70_000)
    assert answer.status == 413


async def test_ways_to_push(house: House, app: App, browser: Browser) -> None:
    header = basic(app.id, app.secret or "")
    uri = await pushed(house, app, client_id=None, client_secret=None, authorization=header)
    assert (await browser.open(address(app, uri))).asks_consent
    spa = await house.make_app(profile="oauth21", type="spa", name="Browser app")
    page = await browser.consent(await browser.open(address(spa, await pushed(house, spa))), "allow")
    code = parameters(page.left or "")["code"]
    assert (await redeem(house, spa, code, code_verifier=VERIFIER)).status_code == 200
    answer = await house.raw("OPTIONS", "/oauth/par", headers=[(b"origin", b"https://app.example")])
    assert answer.status == 204


async def test_a_client_that_must_push(house: House, app: App, browser: Browser) -> None:
    await house.registered(app, require_pushed_authorization_requests=True)
    page = await browser.open(house.authorize_url(app, **PKCE))
    assert page.status == 400 and page.left is None
    page = await browser.consent(await browser.open(address(app, await pushed(house, app))), "allow")
    assert "code" in parameters(page.left or "")


async def test_where_the_sign_up_page_may_lead(house: House, app: App) -> None:
    url = address(app, await pushed(house, app)).removeprefix(SITE)
    page = await house.browser().open("/accounts/signup/?" + urlencode({"next": url}))
    assert "form-action 'self' https:" in page.response.headers["content-security-policy"]
    page = await house.browser().open("/accounts/signup/?" + urlencode({"next": "/oauth/authorize?a=1&a=2"}))
    assert "form-action 'self';" in page.response.headers["content-security-policy"] + ";"


@ONE_STORE
async def test_a_foreign_request_uri_is_not_fetched(house: House, app: App, browser: Browser) -> None:
    for uri in ("http://127.0.0.1:1/", "https://evil.example/r", "file:///etc/passwd", "urn:other"):
        page = await browser.open(address(app, uri, redirect_uri=app.redirect_uri, **PKCE))
        assert page.status == 400 and page.left is None


async def test_two_workers_answer_it_at_once(house: House, app: App, browser: Browser) -> None:
    """One winner, whoever is faster."""
    other = await house.another_worker()
    await browser.consent(await browser.open(address(app, await pushed(house, app))), "allow")
    for _ in range(5):
        url = address(app, await pushed(house, app))
        there = Browser(SITE, other.http())
        there.cookies = dict(browser.cookies)
        pages = await asyncio.gather(*(each.open(url) for each in (browser, there) * 3))
        assert sum(page.left is not None for page in pages) == 1
        assert all(page.status == 400 for page in pages if page.left is None)


async def test_signed_and_pushed_or_signed_alone(house: House, app: App, snoop: Person) -> None:
    """RFC 9101 by way of RFC 9126 3, and in the browser's address; what stands beside it does not count."""
    signer = Signer("ES256")
    await house.registered(app, jwks=signer.jwks, require_signed_request_object=True)
    asked = {"redirect_uri": app.redirect_uri, "response_type": "code", "state": "signed", **PKCE}
    request = signer.jwt({"iss": app.id, "aud": SITE, "client_id": app.id, **asked})
    beside = {
        "redirect_uri": None,
        "response_type": None,
        "code_challenge": None,
        "code_challenge_method": None,
    }
    uri = await pushed(house, app, request=request, **(beside | {"state": "beside"}))
    alone = f"{SITE}/oauth/authorize?" + urlencode({"client_id": app.id, "request": request, "state": "x"})
    for url in (address(app, uri), alone):
        browser = house.browser()
        page = await browser.open(url)
        assert (
            page.asks_login
            and "form-action 'self' https:" in page.response.headers["content-security-policy"]
        )
        page = await browser.login(page, snoop.username, snoop.password)
        if page.left is None:
            page = await browser.consent(page, "allow")
        assert parameters(page.left or "")["state"] == "signed"
    check_refused(await push(house, app), "invalid_request")
    forged = Signer("ES256").jwt({"iss": app.id, "aud": SITE, **asked})
    check_refused(await push(house, app, request=forged, **beside), "invalid_request_object")
    for other in (forged, "x", request[:-3]):
        page = await browser.open(
            f"{SITE}/oauth/authorize?" + urlencode({"client_id": app.id, "request": other})
        )
        assert page.status == 400 and page.left is None
