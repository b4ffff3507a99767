"""D, 5.3: apps that make themselves known. What they say is a stranger's word, and they get no more than they need."""

import asyncio
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from tests.attacks.test_d_clients import DECEIVING
from tests.flows.browser import Browser
from tests.flows.today import PKCE, VERIFIER, basic
from tests.house import ONE_STORE, App, Build, House
from valetkey.protocol.changes import Save
from valetkey.protocol.registration_token import RegistrationToken
from valetkey.protocol.rules.digest import digest
from valetkey.server import housekeeping
from valetkey.settings import AppSettings, RegistrationSettings

CALLBACK = "https://agent.example/callback"
PUBLIC: dict[str, Any] = {
    "client_name": "Agent",
    "redirect_uris": [CALLBACK],
    "token_endpoint_auth_method": "none",
}


@pytest.fixture
async def house(build: Build) -> House:
    made: House = await build(registration=RegistrationSettings(mode="open"))
    return made


async def register(house: House, **said: Any) -> httpx2.Response:
    return await house.http().post("/oauth/register", json=PUBLIC | said)


async def at(
    house: House, made: dict[str, Any], method: str, said: Any = None, token: str = ""
) -> httpx2.Response:
    headers = {"authorization": f"Bearer {token or made['registration_access_token']}"}
    sent = {} if said is None else {"json": said}
    return await house.http().request(method, made["registration_client_uri"], headers=headers, **sent)


@ONE_STORE
@pytest.mark.parametrize("name", DECEIVING.values(), ids=DECEIVING)
async def test_D6_names_that_deceive(house: House, name: str) -> None:
    answer = await register(house, client_name=name)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


@ONE_STORE
async def test_D6_what_a_stranger_says_is_text_on_our_pages(house: House, browser: Browser) -> None:
    """CVE-2018-1000088; and a logo is never fetched by us nor by the person's browser (K1, L1)."""
    name, logo = "<script>alert(1)</script>", "https://agent.example/logo.svg"
    made = (await register(house, client_name=name, logo_uri=logo)).json()
    assert (made["client_name"], made["logo_uri"]) == (name, logo)
    client = await house.store.client(made["client_id"])
    assert client is not None
    page = await browser.open(house.authorize_url(App(client, None), **PKCE))
    assert "<script>alert" not in page.html and name in page.text
    assert "logo.svg" not in page.html
    assert not house.server.fetch.kept and not house.server.fetch.asked


async def test_D7_nobody_registers_unless_the_operator_says_so(build: Build) -> None:
    house = await build(apps=AppSettings(register=True))
    assert (await register(house)).status_code == 404


@ONE_STORE
async def test_D7_nobody_registers_into_the_rules_of_old(house: House) -> None:
    made = (await register(house, profile="classic", allow_implicit=True, signed_requests=False)).json()
    client = await house.store.client(made["client_id"])
    assert client is not None
    assert (client.profile, client.allow_implicit, client.owner_id) == ("oauth21", False, 0)


@ONE_STORE
async def test_D7_a_stranger_gets_no_token_without_a_person(house: House) -> None:
    """Nor more than it may ask for: what only an operator grants cannot be said (8693, resource servers)."""
    grants = ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange", "authorization_code"]
    beyond = {"exchanges_of": ["x"], "exchanges_for": ["https://api.example"], "impersonates": True}
    said = {"token_endpoint_auth_method": "client_secret_basic", "grant_types": grants}
    made = (await register(house, **said, **beyond, introspects=True, fresh_until=2**40)).json()
    assert made["grant_types"] == ["authorization_code"]
    client = await house.store.client(made["client_id"])
    assert client is not None
    own = replace(client.registered, registration_token=b"")
    assert own.exchanges_of == () and not own.impersonates and own.fresh_until == 0
    header = {"authorization": basic(made["client_id"], made["client_secret"])}
    answer = await house.http().post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers=header
    )
    assert answer.json()["error"] == "unauthorized_client"


async def test_CVE_2026_44476_a_secret_is_needed_where_there_is_one(house: House, browser: Browser) -> None:
    """And a client that needs none is given none."""
    public, secret = (
        (await register(house)).json(),
        (await register(house, token_endpoint_auth_method=None)).json(),
    )
    assert "client_secret" not in public and secret["client_secret"]
    for kind, method in (("web", "none"), ("native", "none"), ("native", None)):
        made = (await register(house, application_type=kind, token_endpoint_auth_method=method)).json()
        assert ("client_secret" in made) is (made["token_endpoint_auth_method"] != "none")
    client = await house.store.client(secret["client_id"])
    assert client is not None
    code = await house.code(browser, App(client, None), **PKCE)
    fields = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    for shown in ({}, {"client_secret": ""}, {"client_secret": secret["client_secret"]}):
        said = fields | {"client_id": client.id} | shown
        answer = await house.http().post("/oauth/token", data=said)
        assert answer.json()["error"] == "invalid_client", "Basic is what it registered"
    header = {"authorization": basic(client.id, secret["client_secret"])}
    assert (await house.http().post("/oauth/token", data=fields, headers=header)).status_code == 200


async def test_CVE_2026_9705_a_disabled_client_cannot_help_itself(house: House, browser: Browser) -> None:
    """D10: at no endpoint; and it does not go by itself, for it could come back."""
    made = (await register(house)).json()
    client = await house.store.client(made["client_id"])
    assert client is not None
    code = await house.code(browser, App(client, None), **PKCE)
    off = replace(client, version=client.version + 1, disabled_at=house.clock.now)
    await house.store.apply((Save(off),))
    for method, said in (("GET", None), ("PUT", PUBLIC | {"client_id": client.id}), ("DELETE", None)):
        answer = await at(house, made, method, said)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert await house.store.client(client.id) == off
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
        "client_id": client.id,
    }
    assert (await house.http().post("/oauth/token", data=fields)).json()["error"] == "invalid_client"
    assert (await browser.open(house.authorize_url(App(client, None), **PKCE))).status in (400, 401)


@ONE_STORE
async def test_CVE_2026_18570_what_is_left_out_is_held_to_the_rules_too(house: House) -> None:
    """An update that leaves redirect_uris, the method or the keys out means what absence means, and is checked so."""
    keys = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://agent.example/jwks"}
    made = (await register(house, **keys)).json()
    own = {"client_id": made["client_id"]}
    assert (await at(house, made, "PUT", own)).json()["error"] == "invalid_redirect_uri"
    left_out = PUBLIC | own | {"token_endpoint_auth_method": "private_key_jwt"}
    assert (await at(house, made, "PUT", left_out)).json()["error"] == "invalid_client_metadata"
    answer = await at(house, made, "PUT", {"redirect_uris": [CALLBACK]} | own)
    assert (
        answer.json()["token_endpoint_auth_method"] == "client_secret_basic"
        and "jwks_uri" not in answer.json()
    )
    assert answer.json()["client_secret"]


@ONE_STORE
async def test_D7_who_changes_its_words_every_day_is_not_kept_for_that(house: House) -> None:
    """Otherwise the places for apps that registered could be filled, and held, by idle ones."""
    made = (await register(house)).json()
    day = house.server.settings.joining.unused
    house.clock.forward(day - 1)
    said = PUBLIC | {"client_id": made["client_id"], "client_name": "Still here"}
    assert (await at(house, made, "PUT", said)).status_code == 200
    house.clock.forward(1 + housekeeping.SKEW)
    await housekeeping.clean(house.server, "test")
    assert (await at(house, made, "GET")).status_code == 401


async def test_D9_nobody_changes_the_app_of_another(house: House) -> None:
    """Unknown, somebody else's, an owner's: the same answer."""
    one, other = (await register(house)).json(), (await register(house)).json()
    owned = await house.make_app(profile="oauth21")
    token = one["registration_access_token"]
    base = one["registration_client_uri"].removesuffix(one["client_id"])
    answers = []
    for client_id in (other["client_id"], owned.id, "unknown", "a" * 4000, "%00", "..%2f" + one["client_id"]):
        for method, said in (("GET", None), ("PUT", PUBLIC | {"client_id": client_id}), ("DELETE", None)):
            answer = await at(house, {"registration_client_uri": base + client_id}, method, said, token)
            answers.append((answer.status_code, answer.json().get("error")))
    assert {status for status, _ in answers} <= {401, 404, 414}
    assert await house.store.client(owned.id) == owned.client


@ONE_STORE
async def test_D8_tokens_to_register_with_are_kept_as_digests(house: House, database: str) -> None:
    made = (await register(house, token_endpoint_auth_method="client_secret_post")).json()
    client = await house.store.client(made["client_id"])
    assert client is not None
    assert client.registered.registration_token == digest(made["registration_access_token"])
    kept = repr(client)
    assert made["registration_access_token"] not in kept and made["client_secret"] not in kept
    read = await at(house, made, "GET")
    assert "client_secret" not in read.json()


async def test_races_for_the_last_use_of_an_initial_access_token(build: Build) -> None:
    """R5, over two workers: one winner."""
    settings = RegistrationSettings(mode="token")
    house = await build(registration=settings)
    other = await house.another_worker()
    now = house.clock.now
    await house.store.apply((Save(RegistrationToken(digest("vk_ia_x"), "ia_x", now, now + 60, 1)),))
    header = {"authorization": "Bearer vk_ia_x"}
    answers = await asyncio.gather(
        *(
            (house, other)[turn % 2].http().post("/oauth/register", json=PUBLIC, headers=header)
            for turn in range(10)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [401] * 9
    assert await house.store.self_made() == (1, 0)
