"""What is asked about tokens, and what is given back: introspection and revocation, step by step."""

from typing import Any

import httpx2

from tests.flows.today import basic
from tests.house import App, House
from valetkey.protocol.changes import Save
from valetkey.protocol.model import RefreshToken
from valetkey.protocol.rules.digest import digest

DEAD = {"active": False}
SIGNED = "application/token-introspection+jwt"


async def registered(house: House, **said: Any) -> App:
    """A server that takes tokens, or would like to; said: any field of Registration."""
    return await house.registered(await house.make_app(profile="oauth21", type="service", name="API"), **said)


async def ask(house: House, who: App, token: str, accept: str = "", **more: str) -> httpx2.Response:
    headers = {"authorization": basic(who.id, who.secret or ""), "accept": accept or "application/json"}
    answer = await house.http().post("/oauth/introspect", data={"token": token} | more, headers=headers)
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    return answer


async def told(house: House, who: App, token: str, **more: str) -> Any:
    answer = await ask(house, who, token, **more)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


async def give_back(house: House, who: App, token: str, **more: str) -> httpx2.Response:
    headers = {"authorization": basic(who.id, who.secret)} if who.secret else {}
    named = {} if who.secret else {"client_id": who.id}
    return await house.http().post("/oauth/revoke", data={"token": token} | named | more, headers=headers)


async def refresh_token_of(house: House, token: str) -> str:
    """A refresh token beside this access token."""
    facts = await house.store.bearer_facts(digest(token))
    assert facts is not None
    value = house.server.mint.refresh_token(house.clock())
    root = facts.token.authorization
    await house.store.apply((Save(RefreshToken(digest(value), root, house.clock(), house.clock() + 9999)),))
    return value
