"""Access tokens that say themselves what they may: the same life as the others', in another form (RFC 9068)."""

from typing import Any

import httpx2
import pytest

from tests import reading
from tests.flows.browser import Browser
from tests.flows.questions import DEAD, SIGNED, ask, give_back, registered, told
from tests.flows.today import PKCE, redeem, token_of
from tests.house import ONE_STORE, SITE, App, Build, House, Person
from valetkey.protocol.changes import Save
from valetkey.protocol.model import Authorization, AuthorizationCode, Terms
from valetkey.protocol.resource import Resource
from valetkey.protocol.rules.digest import digest
from valetkey.server import key_ring
from valetkey.settings import KeySettings


@pytest.fixture
async def app(house: House) -> App:
    return await self_describing(house)


async def self_describing(house: House, **said: Any) -> App:
    app = await house.make_app(profile="oauth21", **said)
    return await house.registered(app, access_token_format="jwt")


async def read(house: House, token: str) -> dict[str, Any]:
    """The claims, as a server reads them that knows nothing but the public keys (RFC 9068 4)."""
    header, claims = reading.read(token, await house.keys())
    assert header["typ"] == "at+jwt" and set(header) == {"typ", "alg", "kid"}
    return claims


async def test_what_it_says(house: House, browser: Browser, app: App, snoop: Person) -> None:
    token = await token_of(house, browser, app, scope="basic likes")
    claims = await read(house, token)
    assert len(claims.pop("jti")) == 22
    assert claims == {
        "iss": SITE,
        "sub": str(snoop.account.id),
        "aud": SITE,
        "client_id": app.id,
        "iat": house.clock(),
        "exp": house.clock() + 3600,
        "scope": "basic likes",
    }
    assert await token_of(house, browser, app) != token


async def test_it_lives_and_ends_as_any_other(house: House, browser: Browser, app: App) -> None:
    worker = await house.another_worker()
    server = await registered(house, introspects=True)
    token = await token_of(house, browser, app)
    claims = await read(house, token)
    about = await told(worker, server, token)
    assert about == {
        **claims,
        "active": True,
        "token_type": "Bearer",
        "username": "snoopdogg",
        "nbf": claims["iat"],
    }
    assert await worker.lives(token)
    assert (await give_back(house, app, token)).status_code == 200
    assert not await worker.lives(token) and await told(worker, server, token) == DEAD
    code = await house.code(browser, app, **PKCE)
    first = (await redeem(house, app, code)).json()["access_token"]
    assert await worker.lives(first)
    assert (await redeem(house, app, code)).status_code == 400  # a replay: nobody keeps the tokens
    assert not await worker.lives(first)
    late = await token_of(house, browser, app)
    house.clock.forward(3600)
    assert not await house.lives(late) and await told(house, server, late) == DEAD


@ONE_STORE
async def test_one_that_was_changed_or_made_up_is_nothing(house: House, browser: Browser, app: App) -> None:
    token = await token_of(house, browser, app)
    head, payload, signature = token.split(".")
    other = house.server.keys.sign("at+jwt", await read(house, token))  # by our own key, but never given out
    cut, empty = f"{head}.{payload[:-2]}.{signature}", f"{head}..{signature}"
    for wrong in (f"{head}.{payload}.", cut, other, token + "=", empty):
        assert not await house.lives(wrong)
        assert await told(house, app, wrong) == DEAD
    assert await house.lives(token)


@ONE_STORE
async def test_the_server_it_is_for_has_its_way(build: Build) -> None:
    photos, prints = "https://photos.example/", "https://prints.example/"
    house: House = await build(resources=(Resource(photos, token_format="jwt"), Resource(prints)))
    app = await house.make_app(profile="oauth21")
    browser = await house.logged_in(await house.make_account())
    assert (await token_of(house, browser, app)).startswith("vk_at_")
    claims = await read(house, await for_resource(house, app, photos))
    assert (claims["aud"], claims["client_id"]) == (photos, app.id)
    assert (await for_resource(house, app, prints)).startswith("vk_at_")
    claims = await read(house, await for_resource(house, app, photos, prints))
    assert claims["aud"] == [photos, prints]


async def for_resource(house: House, app: App, *resources: str) -> str:
    """A token out of a code that was asked for with these."""
    now, mint = house.clock(), house.server.mint
    person = house.people["snoopdogg"].account
    terms = Terms(resource=resources)
    root = Authorization(mint.authorization_id(now), person.id, app.id, ("basic",), now, terms=terms)
    code = mint.code("prefixed", now)
    kept = AuthorizationCode(digest(code), root, app.redirect_uri, now + 60, PKCE["code_challenge"])
    await house.store.apply((Save(root), Save(kept)))
    answer = await redeem(house, app, code)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@ONE_STORE
async def test_keys_follow_one_another_and_no_token_notices(house: House, browser: Browser, app: App) -> None:
    keys = house.server.keys
    before = await token_of(house, browser, app)
    await key_ring.rotate(keys, "ES256", at_once=False)
    still = await token_of(house, browser, app)
    house.clock.forward(keys.schedule.lead)
    browser = await house.logged_in(house.people["snoopdogg"], "192.0.2.9")
    after = await token_of(house, browser, app)
    kids = [reading.header_of(token)["kid"] for token in (before, still, after)]
    assert kids[0] == kids[1] != kids[2]
    await read(house, before)
    await read(house, after)
    assert await house.lives(after)


@ONE_STORE
@pytest.mark.parametrize("alg", ["RS256", "PS256", "EdDSA"])
async def test_other_algorithms(build: Build, alg: str) -> None:
    house: House = await build(keys=KeySettings((alg, "ES256")))
    app = await self_describing(house)
    browser = await house.logged_in(await house.make_account())
    token = await token_of(house, browser, app)
    assert reading.header_of(token)["alg"] == alg
    await read(house, token)
    server = await registered(house, introspects=True, introspection_signed_response_alg="ES256")
    answer: httpx2.Response = await ask(house, server, token, accept=SIGNED)
    assert reading.header_of(answer.text)["alg"] == "ES256"


@ONE_STORE
async def test_a_server_that_cannot_sign_says_that_it_cannot_now(
    house: House, browser: Browser, app: App
) -> None:
    house.server.keys.kept = []
    code = await house.code(browser, app, **PKCE)
    answer = await redeem(house, app, code)
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    await house.server.keys.tend()
    assert (await redeem(house, app, code)).status_code == 200  # the code was not used up


@ONE_STORE
async def test_a_server_without_a_master_key_gives_tokens_of_the_other_form(
    house: House, browser: Browser, app: App
) -> None:
    house.server.keys.master = None
    assert (await token_of(house, browser, app)).startswith("vk_at_")


@ONE_STORE
async def test_the_origins_apps_have_their_own_tokens_whatever_is_said(
    house: House, browser: Browser
) -> None:
    app = await house.make_app(name="From before")
    await house.registered(app, access_token_format="jwt")
    assert "." in (token := await house.token(browser, app)) and token.count(".") == 1
