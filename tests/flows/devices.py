"""A device without a browser of its own, step by step (RFC 8628): its codes, its questions, and its person."""

from typing import Any

import httpx2
import pytest

from tests.flows.browser import Browser
from tests.house import App, House
from valetkey.protocol.model import Registration

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
MAY = Registration(grant_types=(DEVICE_CODE,))


@pytest.fixture
async def box(house: House) -> App:
    """A device, as its app is registered."""
    return await house.make_app(name="Living-room TV", type="native", profile="oauth21", registered=MAY)


async def start(house: House, app: App, **more: str) -> dict[str, Any]:
    """The device asks for its codes."""
    named = {"client_id": app.id, "client_secret": app.secret} | more
    answer = await house.form("/oauth/device_authorization", **named)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    said: dict[str, Any] = answer.json()
    return said


async def poll(house: House, app: App, said: dict[str, Any]) -> httpx2.Response:
    """The device asks whether its person has answered."""
    named = {"client_id": app.id, "client_secret": app.secret, "device_code": said["device_code"]}
    return await house.form("/oauth/token", grant_type=DEVICE_CODE, **named)


async def told(house: House, app: App, said: dict[str, Any]) -> str:
    """The error that the device is told."""
    answer = await poll(house, app, said)
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"error", "error_description"}
    error: str = answer.json()["error"]
    return error


async def connect(browser: Browser, said: dict[str, Any], decision: str) -> str:
    """Type the code, look, answer; returns what the last page says."""
    page = await browser.fill("/device", "/device", user_code=said["user_code"])
    assert page.asks_consent and said["user_code"] in page.text, page.text
    page = await browser.consent(page, decision)
    assert page.status == 200, page.text
    return page.text
