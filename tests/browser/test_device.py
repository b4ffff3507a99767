"""A device with no keyboard, and a person with any browser (RFC 8628 3.3): with and without scripts, at any width."""

import httpx2
import pytest

from tests.browser.platform import App, Person, Platform
from tests.browser.scenes import DEVICE_FLOW
from tests.browser.visitor import Visitor, both

GRANT = DEVICE_FLOW.grant_types[0]


@pytest.fixture
async def box(platform: Platform) -> App:
    return await platform.app(
        "tv.example:/back", name="Living-room TV", type="native", profile="oauth21", registered=DEVICE_FLOW
    )


async def ask(platform: Platform, path: str, **fields: str) -> httpx2.Response:
    async with httpx2.AsyncClient(trust_env=False) as http:
        return await http.post(platform.base + path, data=fields)


async def poll(platform: Platform, box: App, code: str) -> httpx2.Response:
    return await ask(platform, "/oauth/token", client_id=box.id, grant_type=GRANT, device_code=code)


@both
async def test_from_the_code_to_the_token(
    visitor: Visitor, platform: Platform, box: App, person: Person
) -> None:
    said = (await ask(platform, "/oauth/device_authorization", client_id=box.id)).json()
    await visitor.open(said["verification_uri"])
    assert "to go on to your device" in await visitor.words()
    await visitor.log_in(person.username, person.password)
    assert await visitor.heading() == "Connect a device"
    assert await visitor.focused() == "user_code", "ready to be typed into"
    await visitor.fill("Code", "wdjb mjh")
    await visitor.press("Continue")
    assert "That is no code" in await visitor.words()
    await visitor.fill("Code", said["user_code"].lower().replace("-", " "))
    await visitor.press("Continue")
    assert await visitor.heading() == "Let a device use your account through Living-room TV?"
    assert said["user_code"] in await visitor.words()
    assert (await poll(platform, box, said["device_code"])).json()["error"] == "authorization_pending"
    await visitor.press("Allow")
    assert await visitor.heading() == "Your device is connected"
    token = (await poll(platform, box, said["device_code"])).json()["access_token"]
    async with httpx2.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {token}"}) as http:
        me = await http.get(f"{platform.base}/v1/users/self")
    assert me.json()["data"]["username"] == person.username
    await visitor.follow("Connected apps", "main")
    assert "Living-room TV" in await visitor.words()


@both
async def test_not_you_comes_back_with_the_code(
    member: Visitor, platform: Platform, box: App, person: Person
) -> None:
    said = (await ask(platform, "/oauth/device_authorization", client_id=box.id)).json()
    other = await platform.person("Ann Other")
    await member.open(said["verification_uri_complete"])
    await member.press("Continue")
    await member.follow("Not you?")
    await member.log_in(other.username, other.password)
    assert "Ann Other" in await member.words()
    await member.press("Continue")
    await member.press("Deny")
    assert await member.heading() == "The device was not connected"
    assert (await poll(platform, box, said["device_code"])).json()["error"] == "access_denied"
