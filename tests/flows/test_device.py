"""The device flow from end to end (RFC 8628): a box with no keyboard, and a person with a telephone."""

import asyncio
import re
from typing import Any

import pytest

from tests.flows.browser import Browser
from tests.flows.devices import MAY, connect, poll, start, told
from tests.flows.questions import told as token_told
from tests.house import SITE, App, House, Person
from valetkey.server.accounts import disable, revoke_app


async def test_what_the_device_is_told(house: House, box: App) -> None:
    said = await start(house, box)
    assert re.fullmatch(r"vk_dc_[0-9a-f]{12}[A-Za-z0-9_-]{43}[A-Za-z0-9]{6}", said.pop("device_code"))
    code = said.pop("user_code")
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", code)
    assert said == {
        "verification_uri": f"{SITE}/device",
        "verification_uri_complete": f"{SITE}/device?user_code={code}",
        "expires_in": 600,
        "interval": 5,
    }


async def test_it_waits_and_is_slowed_down_for_good(house: House, box: App) -> None:
    other, said = await house.another_worker(), await start(house, box)
    assert await told(house, box, said) == "authorization_pending"
    assert await told(other, box, said) == "slow_down"  # another worker counts with it
    house.clock.forward(5)
    assert await told(house, box, said) == "slow_down"
    house.clock.forward(15)
    assert await told(other, box, said) == "authorization_pending"
    house.clock.forward(600)
    assert await told(house, box, said) == "expired_token"


async def test_of_those_who_ask_at_once_one_is_in_time(house: House, box: App) -> None:
    said, other = await start(house, box), await house.another_worker()
    answers = await asyncio.gather(*(told(each, box, said) for each in (house, other) * 3))
    assert sorted(answers) == ["authorization_pending"] + ["slow_down"] * 5
    device = await house.store.device_request_shown(said["user_code"].replace("-", ""))
    assert device is not None and device.interval == 5 + 5 * 5


@pytest.mark.parametrize(
    ("more", "error", "status"),
    [
        ({"client_id": "nobody"}, "invalid_client", 401),
        ({"client_id": ""}, "invalid_client", 401),
        ({"client_secret": "vk_cs_guess"}, "invalid_client", 401),
        ({"scope": "everything"}, "invalid_scope", 400),
        ({"scope": " ".join(f"s{n}" for n in range(65))}, "invalid_scope", 400),
    ],
)
async def test_who_is_not_given_codes(
    house: House, box: App, more: dict[str, str], error: str, status: int
) -> None:
    answer = await house.http().post("/oauth/device_authorization", data={"client_id": box.id} | more)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_only_an_app_that_registered_the_grant(house: House) -> None:
    for profile in ("oauth20", "oauth21"):
        app = await house.make_app(type="native", profile=profile)
        answer = await house.http().post("/oauth/device_authorization", data={"client_id": app.id})
        assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
        assert await told(house, app, {"device_code": "vk_dc_"}) == "unauthorized_client"
    classic = await house.make_app(profile="classic")
    fields = {"client_id": classic.id, "client_secret": classic.secret}
    answer = await house.http().post("/oauth/device_authorization", data=fields)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_device_code_is_one_clients_own(house: House, box: App) -> None:
    other = await house.make_app(name="Other", type="native", profile="oauth21", registered=MAY)
    said = await start(house, box)
    assert await told(house, other, said) == "invalid_grant"
    assert await told(house, box, {"device_code": said["device_code"] + "x"}) == "invalid_grant"
    assert await told(house, box, {"device_code": ""}) == "invalid_request"


# --- the person -------------------------------------------------------------------------------------------------------


async def test_the_whole_flow(house: House, box: App, snoop: Person) -> None:
    said = await start(house, box, scope="basic likes")
    assert await told(house, box, said) == "authorization_pending"

    phone = house.browser()
    page = await phone.open(said["verification_uri_complete"])
    assert page.asks_login and "your device" in page.text
    page = await phone.login(page, snoop.username, snoop.password)
    assert page.form("/device").fields["user_code"] == said["user_code"]
    assert "Compare it letter by letter" in page.text and not page.asks_consent
    assert await told(house, box, said) == "slow_down"  # nothing was allowed by logging in (RFC 8628 3.3.1)

    page = await phone.submit(page, page.form("/device"), {})
    assert "You are allowing a device . Only go on if you started this yourself" in page.text
    for words in ("Living-room TV", said["user_code"], "Like and unlike things in your name"):
        assert words in page.text
    page = await phone.consent(page, "allow")
    assert "Your device is connected" in page.text

    answer = await poll(house, box, said)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["token_type"], body["scope"], body["expires_in"]) == ("Bearer", "basic likes", 3600)
    assert (await house.http().get("/v1/users/self", headers=bearer(body))).json()["data"][
        "username"
    ] == "snoopdogg"
    assert await told(house, box, said) == "invalid_grant", "once"
    assert await house.lives(body["access_token"]), "asking again takes nothing away"
    [app] = await house.store.connected_apps(snoop.account.id)
    assert (app.client.id, app.scope) == (box.id, ("basic", "likes"))


def bearer(body: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {body['access_token']}"}


async def test_the_servers_that_a_device_wants_to_reach(house: House, browser: Browser) -> None:
    """RFC 8707: the page says them, and they are what the token is for."""
    app = await house.make_app(profile="oauth21", registered=MAY)
    said = await start(house, app, resource="https://prints.example/")
    page = await browser.fill("/device", "/device", user_code=said["user_code"])
    assert "It will reach this server prints.example" in page.text
    await browser.consent(page, "allow")
    token = (await poll(house, app, said)).json()["access_token"]
    assert (await token_told(house, app, token))["aud"] == "https://prints.example/"
    assert "At prints.example" in (await browser.open("/accounts/manage_access/")).text


@pytest.mark.parametrize("typed", ["{0}", " {1} {2} ", "{3}", "{4}"])
async def test_the_code_is_read_as_people_type_it(
    house: House, box: App, browser: Browser, typed: str
) -> None:
    said = await start(house, box)
    code: str = said["user_code"]
    spelled = typed.format(code, code[:4], code[5:], code.lower(), code.replace("-", ""))
    page = await browser.fill("/device", "/device", user_code=spelled)
    assert page.asks_consent and code in page.text


async def test_the_person_says_no(house: House, box: App, browser: Browser, snoop: Person) -> None:
    said = await start(house, box)
    assert "was not connected" in await connect(browser, said, "deny")
    assert await told(house, box, said) == "access_denied"
    assert await house.store.connected_apps(snoop.account.id) == []


async def test_a_device_of_a_confidential_client(house: House, browser: Browser) -> None:
    app = await house.make_app(profile="oauth20", registered=MAY)
    said = await start(house, app)
    await connect(browser, said, "allow")
    assert (await poll(house, app, said)).status_code == 200


async def test_of_those_who_ask_at_once_one_is_given_the_token(
    house: House, box: App, browser: Browser
) -> None:
    said, other = await start(house, box), await house.another_worker()
    await connect(browser, said, "allow")
    answers = await asyncio.gather(*(poll(each, box, said) for each in (house, other) * 4))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}


async def test_of_two_answers_the_first_counts(house: House, box: App, browser: Browser) -> None:
    said, other = await start(house, box), await house.logged_in(await house.make_account("dre", "Dr Dre"))
    pages = [await each.fill("/device", "/device", user_code=said["user_code"]) for each in (browser, other)]
    assert "is connected" in (await browser.consent(pages[0], "allow")).text
    late = await other.consent(pages[1], "deny")
    assert late.status == 400 and "answered before" in late.text
    token = (await poll(house, box, said)).json()
    me = await house.http().get("/v1/users/self", headers=bearer(token))
    assert me.json()["data"]["username"] == "snoopdogg"


async def test_codes_end(house: House, box: App, browser: Browser) -> None:
    said = await start(house, box)
    page = await browser.fill("/device", "/device", user_code=said["user_code"])
    house.clock.forward(600)
    late = await browser.consent(page, "allow")
    assert late.status == 400 and "has expired" in late.text
    again = await browser.fill("/device", "/device", user_code=said["user_code"])
    assert again.status == 400 and "has expired" in again.text


async def test_what_was_allowed_ends_with_the_app_taken_back(
    house: House, box: App, browser: Browser, snoop: Person
) -> None:
    """Between the yes and the device's question (D10)."""
    said = await start(house, box)
    await connect(browser, said, "allow")
    await revoke_app(house.server, snoop.account, box.id)
    assert await told(house, box, said) == "invalid_grant"


async def test_an_account_that_was_locked_gives_nothing(
    house: House, box: App, browser: Browser, snoop: Person
) -> None:
    """C21, D10."""
    said = await start(house, box)
    await connect(browser, said, "allow")
    await disable(house.server, snoop.account.id)
    assert await told(house, box, said) == "invalid_grant"
