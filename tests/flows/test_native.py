"""Apps on a phone or a desktop (RFC 8252): they come back to a port of their machine, or to a scheme of their own."""

from urllib.parse import urlsplit

import pytest

from tests.flows.browser import Browser
from tests.flows.today import PKCE, VERIFIER
from tests.house import SITE, App, House, parameters


async def tokens(house: House, app: App, where: str, redirect_uri: str) -> int:
    """What the app's code gets it, when it says that it came back there."""
    fields = house.exchange_fields(
        app, parameters(where)["code"], redirect_uri=redirect_uri, code_verifier=VERIFIER
    )
    return (await house.http().post("/oauth/token", data=fields)).status_code


@pytest.mark.parametrize("profile", ["oauth20", "oauth21"])
@pytest.mark.parametrize(
    "registered", ["http://127.0.0.1/back", "http://[::1]:8000/back", "http://localhost/back"]
)
async def test_a_command_line_program_listens_where_it_can(
    house: House, browser: Browser, profile: str, registered: str
) -> None:
    app = await house.make_app(registered, type="native", profile=profile)
    for port in (49152, 61023):
        parts = urlsplit(registered)
        given = f"http://{parts.netloc.removesuffix(':8000')}:{port}/back"
        where = await house.allow(browser, app, redirect_uri=given, state="s", **PKCE)
        assert where.startswith(f"{given}?code=")
        assert await tokens(house, app, where, registered) == 400, (
            "the port, too, is part of what the code is bound to"
        )
        where = await house.allow(browser, app, redirect_uri=given, **PKCE)
        assert await tokens(house, app, where, given) == 200


async def test_the_host_is_not_chosen(house: House, browser: Browser) -> None:
    app = await house.make_app(
        "http://localhost:3000/back", "http://127.0.0.1/", type="native", profile="oauth21"
    )
    for given in ("http://localhost:3000/", "http://127.0.0.1:3000/back", "http://[::1]:3000/"):
        page = await browser.open(house.authorize_url(app, redirect_uri=given, **PKCE))
        assert page.status == 400 and page.left is None
    named = await house.allow(browser, app, redirect_uri="http://localhost:3001/back", **PKCE)
    assert named.startswith("http://localhost:3001/back?code=")


async def test_a_web_app_has_one_port(house: House, browser: Browser) -> None:
    app = await house.make_app("http://127.0.0.1:3000/back", type="web", profile="oauth21")
    page = await browser.open(house.authorize_url(app, redirect_uri="http://127.0.0.1:3001/back", **PKCE))
    assert page.status == 400 and page.left is None


@pytest.mark.parametrize("registered", ["com.example.app:/oauth2redirect/example", "com.example.app://back"])
async def test_a_phone_has_a_scheme_of_its_own(house: House, browser: Browser, registered: str) -> None:
    """7.1. Claimed https addresses (7.2) are redirect URIs like any other."""
    app = await house.make_app(registered, type="native", profile="oauth21")
    page = await browser.open(house.authorize_url(app, **PKCE))
    assert "an app on this device (com.example.app:)" in page.text
    assert "com.example.app:" in page.response.headers["content-security-policy"]
    page = await browser.consent(page, "allow")
    assert page.left is not None and page.left.startswith(f"{registered}?code=")
    assert f"&iss={SITE}".replace(":", "%3A").replace("/", "%2F") in page.left
    assert await tokens(house, app, page.left, registered) == 200


async def test_a_native_app_proves_that_it_asked(house: House, browser: Browser) -> None:
    """8.1: in oauth20, too, it cannot do without PKCE."""
    app = await house.make_app("http://127.0.0.1/back", type="native", profile="oauth20")
    given = "http://127.0.0.1:49152/back"
    page = await browser.open(house.authorize_url(app, redirect_uri=given))
    assert page.left is not None and parameters(page.left)["error"] == "invalid_request"


async def test_it_is_asked_for_each_time(house: House, browser: Browser) -> None:
    """8.6: anybody can say that they are this app, so a yes of before is not enough."""
    app = await house.make_app("http://127.0.0.1/back", type="native", profile="oauth21")
    for _ in range(2):
        page = await browser.open(
            house.authorize_url(app, redirect_uri="http://127.0.0.1:49152/back", **PKCE)
        )
        assert page.asks_consent
        await browser.consent(page, "allow")
