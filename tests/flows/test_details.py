"""authorization_details from both ends: what is asked for, what people read, what tokens tell."""

import json
from typing import Any

import pytest

from tests.flows.browser import Browser
from tests.flows.devices import MAY, poll, start
from tests.flows.questions import told
from tests.flows.today import PKCE, address, check_refused, push, redeem
from tests.house import App, Build, House, parameters
from valetkey.protocol.detail_type import DetailType

PAYMENT = DetailType(
    "payment", "Pay {amount.value} {amount.currency} to {creditor}", ("amount", "creditor"), ("amount",)
)
PAY = {"type": "payment", "amount": {"value": "12.50", "currency": "EUR"}, "creditor": "<b>Prints</b>"}
SEE = {"type": "accounts", "actions": ["list"], "locations": ["https://bank.example/"]}


@pytest.fixture
async def house(build: Build) -> House:
    made: House = await build(authorization_details=(PAYMENT, DetailType("accounts")))
    return made


def asking(*entries: dict[str, Any]) -> dict[str, str]:
    return {"authorization_details": json.dumps(entries)} | PKCE


async def test_the_whole_flow(house: House, app: App, browser: Browser) -> None:
    page = await browser.open(house.authorize_url(app, **asking(PAY, SEE)))
    assert "Pay 12.50 EUR to <b>Prints</b>" in page.text, "and no bold print"
    assert "type: accounts; actions: list; locations: https://bank.example/" in page.text
    page = await browser.consent(page, "allow")
    body = (await redeem(house, app, parameters(page.left or "")["code"])).json()
    assert body["authorization_details"] == [PAY, SEE]
    assert (await told(house, app, body["access_token"]))["authorization_details"] == [PAY, SEE]

    renews = {"client_id": app.id, "client_secret": app.secret, "grant_type": "refresh_token"}
    part = renews | {"refresh_token": body["refresh_token"], "authorization_details": json.dumps([SEE])}
    body = (await house.http().post("/oauth/token", data=part)).json()
    assert body["authorization_details"] == [SEE]
    assert (await told(house, app, body["access_token"]))["authorization_details"] == [SEE]
    more = renews | {
        "refresh_token": body["refresh_token"],
        "authorization_details": json.dumps([PAY | {"creditor": "me"}]),
    }
    check_refused(await house.http().post("/oauth/token", data=more), "invalid_authorization_details")
    whole = renews | {"refresh_token": body["refresh_token"]}
    assert (await house.http().post("/oauth/token", data=whole)).json()["authorization_details"] == [PAY, SEE]

    assert (await browser.open(house.authorize_url(app, **PKCE))).left is not None
    again = await browser.open(house.authorize_url(app, **asking(SEE)))
    assert again.asks_consent, "a yes to one payment is none to the next"


async def test_pushed(house: House, app: App, browser: Browser) -> None:
    answer = await push(house, app, authorization_details=json.dumps([SEE] * 20 + [SEE]))
    check_refused(answer, "invalid_authorization_details")
    long = SEE | {"identifier": "x" * 5000}
    answer = await push(house, app, authorization_details=json.dumps([long]))
    assert answer.status_code == 201
    page = await browser.open(address(app, answer.json()["request_uri"]))
    page = await browser.consent(page, "allow")
    body = (await redeem(house, app, parameters(page.left or "")["code"])).json()
    assert body["authorization_details"] == [long]


async def test_a_device_asks_in_detail(house: House, browser: Browser) -> None:
    """RFC 9396 2: in a device authorization request (RFC 8628), too."""
    box = await house.make_app(profile="oauth21", registered=MAY)
    page = await browser.fill("/device", "/device", user_code=(await start(house, box))["user_code"])
    assert page.asks_consent and "This time it asks for" not in page.text
    long = SEE | {"identifier": "x" * 5000}
    said = await start(house, box, authorization_details=json.dumps([PAY, long]))
    page = await browser.fill("/device", "/device", user_code=said["user_code"])
    assert "This time it asks for Pay 12.50 EUR to <b>Prints</b>" in page.text
    await browser.consent(page, "allow")
    body = (await poll(house, box, said)).json()
    assert body["authorization_details"] == [PAY, long]
    assert (await told(house, box, body["access_token"]))["authorization_details"] == [PAY, long]

    fields = {"client_id": box.id, "client_secret": box.secret, "authorization_details": "nonsense"}
    answer = await house.http().post("/oauth/device_authorization", data=fields)
    check_refused(answer, "invalid_authorization_details")


@pytest.mark.parametrize(
    "wrong",
    ["x", "{}", "[]", '[{"type":"other"}]', '[{"type":"payment"}]', '[{"type":"accounts","amount":1}]'],
)
async def test_what_cannot_be_asked_for(house: House, app: App, browser: Browser, wrong: str) -> None:
    page = await browser.open(house.authorize_url(app, authorization_details=wrong, **PKCE))
    assert parameters(page.left or "")["error"] == "invalid_authorization_details"


async def test_classic_hears_nothing(house: House, browser: Browser) -> None:
    classic = await house.make_app(name="Classic")
    where = await house.allow(browser, classic, authorization_details="nonsense")
    answer = await house.exchange(classic, parameters(where)["code"])
    assert set(answer.json()) == {"access_token", "user"}
