"""An issuer with a path: people come through it too, whether what stands in front takes the path off or not."""

import re
from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.flows.today import PKCE, VERIFIER
from tests.house import PASSWORD, SITE, Build, House, parameters

PATH = "/tenant/one"
OURS = re.compile(r'(?:href|src|action)="(/[^"]*)"')


def mounted(app: ASGIApp) -> ASGIApp:
    """Within another application."""
    return Starlette(routes=[Mount(PATH, app)])


def left_on(app: ASGIApp) -> ASGIApp:
    """Behind a proxy that hands on the whole path."""
    return only_below(app, "")


def taken_off(app: ASGIApp, path: str = PATH) -> ASGIApp:
    """Behind a proxy that takes the path off."""
    return only_below(app, path, path)


def only_below(app: ASGIApp, off: str, path: str = PATH) -> ASGIApp:
    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(path + "/"):
            await send({"type": "http.response.start", "status": 404, "headers": []})
            return await send({"type": "http.response.body", "body": b"nothing of ours"})
        await app({**scope, "path": scope["path"].removeprefix(off)}, receive, send)

    return proxy


@pytest.mark.parametrize("front", [mounted, left_on, taken_off])
async def test_people_come_through(build: Build, front: Callable[[ASGIApp], ASGIApp]) -> None:
    house: House = await build(issuer=SITE + PATH)
    await house.make_account()
    app = await house.make_app(profile="oauth21")
    house.app = front(house.app)
    browser = house.browser()
    page = await browser.open(house.authorize_url(app, **PKCE).replace(SITE, SITE + PATH))
    page = await browser.login(page, "snoopdogg", PASSWORD)
    assert page.asks_consent
    for address in OURS.findall(page.html):
        assert address.startswith(PATH + "/")
    page = await browser.consent(page, "allow")
    assert page.left is not None and page.left.startswith(f"{app.redirect_uri}?code=")
    fields = house.exchange_fields(app, parameters(page.left)["code"], code_verifier=VERIFIER)
    assert (await house.form(f"{PATH}/oauth/token", **fields)).status_code == 200
    apps = await browser.open(f"{PATH}/accounts/manage_access")
    assert apps.status == 200 and "Photo Printer" in apps.text
    assert (await house.raw("GET", f"{PATH}/.well-known/oauth-authorization-server")).status == 200


@pytest.mark.parametrize("path", ["/oauth", "/accounts", "/v1"])
@pytest.mark.parametrize("off", [True, False])
async def test_the_path_may_be_spelled_as_one_of_ours(build: Build, path: str, off: bool) -> None:
    house: House = await build(issuer=SITE + path)
    house.app = only_below(house.app, path if off else "", path)
    for ours in (
        "/",
        "/oauth/jwks",
        "/accounts/login/",
        "/.well-known/oauth-authorization-server",
        "/theme.css",
    ):
        assert (await house.raw("GET", path + ours)).status == 200, ours
    assert (await house.raw("GET", f"{path}/v1/users/self")).status == 400
