"""Step-up from both ends: a call wants a login not so long ago, and the app has its person log in (RFC 9470)."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.flows.browser import Browser
from tests.flows.questions import told
from tests.flows.today import PKCE, address, pushed, redeem
from tests.house import ONE_STORE, App, Build, House, Person, parameters
from valetkey.settings import ApiSettings

PASSWORD = "urn:valetkey:acr:password"


async def error(house: House, browser: Browser, app: App, **more: str) -> str:
    page = await browser.open(house.authorize_url(app, **(PKCE | more)))
    assert page.left is not None and page.left.startswith(app.redirect_uri), page.text
    return parameters(page.left).get("error", "")


async def test_silently(house: House, app: App, browser: Browser) -> None:
    """A20."""
    assert await error(house, house.browser(), app, prompt="none") == "login_required"
    assert await error(house, browser, app, prompt="none") == "consent_required"
    await house.allow(browser, app, **PKCE)
    assert await error(house, browser, app, prompt="none") == ""
    assert await error(house, browser, app, prompt="none", scope="basic likes") == "consent_required"
    assert await error(house, browser, app, prompt="none login") == "invalid_request"
    assert await error(house, browser, app, prompt="none", acr_values="gold") == (
        "unmet_authentication_requirements"
    )
    house.clock.forward(61)
    assert await error(house, browser, app, prompt="none", max_age="60") == "login_required"
    page = await house.browser().open(
        house.authorize_url(app, prompt="none", redirect_uri="https://evil.example/", **PKCE)
    )
    assert page.status == 400 and page.left is None
    spa = await house.make_app(profile="oauth21", type="spa", name="Browser app")
    await house.allow(browser, spa, **PKCE)
    assert await error(house, browser, spa, prompt="none") == "consent_required", "it could be anybody"


@pytest.mark.parametrize("way", ["prompt", "max_age", "pushed"])
async def test_logged_in_once_more(house: House, app: App, snoop: Person, browser: Browser, way: str) -> None:
    await house.allow(browser, app, **PKCE)
    before = browser.session
    house.clock.forward(100)
    asked = {"max_age": "99"} if way == "max_age" else {"prompt": "login"}
    if way == "pushed":
        url = address(app, await pushed(house, app, **asked))
    else:
        url = house.authorize_url(app, **asked, **PKCE)
    for _ in range(2):
        page = await browser.open(url)
        assert page.asks_login and "To go on, log in once more" in page.text
    house.clock.forward(20)
    page = await browser.login(page, snoop.username, snoop.password)
    assert page.left is not None and browser.session != before
    assert "asked_at" not in page.left
    code = parameters(page.left)["code"]
    token = (await redeem(house, app, code)).json()["access_token"]
    assert (await told(house, app, token))["auth_time"] == house.clock()


@pytest.mark.parametrize("way", ["prompt", "max_age", "pushed"])
async def test_A18_nobody_writes_for_us_when_they_were_asked(
    house: House, app: App, snoop: Person, browser: Browser, way: str
) -> None:
    """Somebody at a browser that was left open: what the app demanded in a pushed request is not theirs to skip."""
    await house.allow(browser, app, **PKCE)
    house.clock.forward(100)
    since = house.clock() - 100
    asked = {"max_age": "0"} if way == "max_age" else {"prompt": "login"}

    async def url() -> str:
        if way == "pushed":
            return address(app, await pushed(house, app, **asked))
        return house.authorize_url(app, state=str(house.clock()), **asked, **PKCE)

    ours = parameters((await house.browser().ask("GET", await url())).headers["location"])["next"]
    sealed = parameters(ours)["asked_at"]
    assert sealed.startswith(f"{house.clock()}.")
    house.clock.forward(1)
    fresh = await house.logged_in(snoop)
    house.clock.forward(1)
    seal = sealed.partition(".")[2]
    others = [str(since), f"{since}.", f"{since}.{seal}", f"{since}.\u00e9", sealed, "", "x", ".", "9" * 30]
    for made_up in others:
        page = await fresh.open(f"{await url()}&{urlencode({'asked_at': made_up})}")
        assert page.asks_login, made_up
    page = await fresh.open(ours)
    assert page.left is not None, "the one that was asked then"


async def test_the_way_back_is_the_request_as_it_came(house: House, app: App, snoop: Person) -> None:
    browser = house.browser()
    odd = house.authorize_url(app, prompt="login", **PKCE) + "&state=a+b%20|c&\u00e9=1&\u00fc=2&e="
    page = await browser.open(odd)
    page = await browser.login(page, snoop.username, snoop.password)
    assert page.asks_consent
    page = await browser.consent(page, "allow")
    assert parameters(page.left or "")["state"] == "a b |c"


async def test_who_takes_their_time_at_the_confirmation_is_not_asked_again(
    house: House, app: App, snoop: Person
) -> None:
    browser = house.browser()
    page = await browser.open(house.authorize_url(app, max_age="5", acr_values=f"gold {PASSWORD}", **PKCE))
    page = await browser.login(page, snoop.username, snoop.password)
    assert page.asks_consent
    began = house.clock()
    house.clock.forward(600)
    page = await browser.consent(page, "allow")
    token = (await redeem(house, app, parameters(page.left or "")["code"])).json()
    claims = await told(house, app, token["access_token"])
    assert (claims["auth_time"], claims["acr"]) == (began, PASSWORD)


async def test_asked_again(house: House, app: App, browser: Browser) -> None:
    await house.allow(browser, app, **PKCE)
    page = await browser.open(house.authorize_url(app, prompt="consent", **PKCE))
    assert page.asks_consent
    assert (await browser.open(house.authorize_url(app, **PKCE))).left is not None


@ONE_STORE
async def test_our_own_api_steps_up(build: Build) -> None:
    house: House = await build(api=ApiSettings(max_age=300, acr_values=(PASSWORD,)))
    snoop = await house.make_account()
    browser = await house.logged_in(snoop)
    app = await house.make_app(profile="oauth21")

    async def call(**asked: Any) -> Any:
        page = await browser.open(house.authorize_url(app, **asked, **PKCE))
        if page.asks_login:
            page = await browser.login(page, snoop.username, snoop.password)
        if page.left is None:
            page = await browser.consent(page, "allow")
        token = (await redeem(house, app, parameters(page.left or "")["code"])).json()["access_token"]
        header = {"authorization": f"Bearer {token}"}
        return await house.http().get("/v1/users/self", headers=header)

    no = await call()
    assert no.status_code == 401
    told_ = no.headers["www-authenticate"]
    assert told_.startswith('Bearer error="insufficient_user_authentication"')
    assert told_.endswith(f'acr_values="{PASSWORD}", max_age="300"')
    assert (await call(acr_values=PASSWORD, max_age="300")).status_code == 200
    house.clock.forward(301)
    assert (await call(acr_values=PASSWORD)).status_code == 401
    assert (await call(acr_values=PASSWORD, max_age="300")).status_code == 200
    classic = await house.make_app(name="Classic")
    assert (await house.me(await house.token(browser, classic))).status_code == 200
