"""Servers that take tokens ask about them: the platform's own API, one resource, signed answers (RFC 7662, 9701)."""

import pytest
from msgspec.structs import replace

from tests.flows.browser import Browser
from tests.flows.questions import DEAD, SIGNED, ask, registered, told
from tests.flows.today import basic, token_of
from tests.house import SITE, App, Build, House, Person
from tests.reading import read
from valetkey.protocol.changes import Save
from valetkey.protocol.model import Terms
from valetkey.protocol.resource import Resource
from valetkey.protocol.rules.digest import digest
from valetkey.server import accounts, clients


@pytest.fixture
async def server(house: House, app: App) -> App:
    """The platform's API, which takes all tokens that are meant for nobody else."""
    return await registered(house, introspects=True)


async def test_what_is_told_of_a_token(
    house: House, browser: Browser, app: App, server: App, snoop: Person
) -> None:
    token = await token_of(house, browser, app, scope="basic likes")
    answer = await told(house, server, token)
    assert answer == {
        "active": True,
        "iss": SITE,
        "sub": str(snoop.account.id),
        "aud": SITE,
        "client_id": app.id,
        "username": snoop.username,
        "scope": "basic likes",
        "token_type": "Bearer",
        "iat": house.clock(),
        "nbf": house.clock(),
        "exp": house.clock() + 3600,
    }
    assert await told(house, app, token) == answer  # its own
    other = await house.make_app(profile="oauth21", name="Another")
    assert await told(house, other, token) == DEAD
    for hint in ("access_token", "refresh_token", "urn:whatever"):
        assert await told(house, server, token, token_type_hint=hint) == answer


async def test_a_token_dies_for_every_worker_at_once(
    house: House, browser: Browser, app: App, server: App, snoop: Person
) -> None:
    worker = await house.another_worker()
    one, two, three = [await token_of(house, browser, app) for _ in range(3)]
    assert (await told(worker, server, one))["active"] is True
    house.clock.forward(3600)
    assert await told(worker, server, one) == DEAD
    four = await token_of(house, browser, app)
    assert (await told(worker, server, four))["active"] is True
    await accounts.revoke_app(house.server, snoop.account, app.id)
    assert await told(worker, server, four) == DEAD
    five = await token_of(house, browser, app)
    assert (await told(worker, server, five))["active"] is True
    await accounts.disable(house.server, snoop.account.id)
    assert await told(worker, server, five) == DEAD
    assert DEAD == await told(worker, server, two) == await told(worker, server, three)


async def test_a_disabled_app_has_no_living_tokens_and_a_disabled_caller_no_answer(
    house: House, browser: Browser, app: App, server: App
) -> None:
    token = await token_of(house, browser, app)
    owner = house.people["developer"].account
    await clients.change(house.server, owner, app.id, lambda _: {"disabled_at": house.clock()})
    assert await told(house, server, token) == DEAD
    await clients.change(house.server, owner, app.id, lambda _: {"disabled_at": None})
    assert (await told(house, server, token))["active"] is True
    await clients.change(house.server, owner, server.id, lambda _: {"disabled_at": house.clock()})
    answer = await ask(house, server, token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_tokens_of_the_origin_are_known_too(
    house: House, browser: Browser, server: App, snoop: Person
) -> None:
    old = await house.make_app(name="From before")
    token = await house.token(browser, old)
    answer = await told(house, server, token)
    assert (answer["active"], answer["username"], answer["client_id"]) == (True, snoop.username, old.id)
    assert "exp" not in answer
    refused = await house.http().post(
        "/oauth/introspect", data={"client_id": old.id, "client_secret": old.secret, "token": token}
    )
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")  # it lives elsewhere


async def test_a_resource_is_told_of_its_own_tokens(build: Build) -> None:
    photos, prints = "https://photos.example/", "https://prints.example/"
    house: House = await build()
    app = await house.make_app(profile="oauth21")
    of_photos, of_prints = [await registered(house) for _ in range(2)]
    resources = (Resource(photos, client=of_photos.id), Resource(prints, client=of_prints.id))
    house.server.book.resources.update({each.uri: each for each in resources})
    browser = await house.logged_in(await house.make_account())
    token = await token_of(house, browser, app)
    token = await meant_for(house, token, photos)
    assert (await told(house, of_photos, token))["aud"] == photos
    assert await told(house, of_prints, token) == DEAD
    assert await told(house, await registered(house, introspects=True), token) == DEAD


async def meant_for(house: House, token: str, *resources: str) -> str:
    """Another token of the same authorization, for these alone."""
    facts = await house.store.bearer_facts(digest(token))
    assert facts is not None
    bound = replace(facts.token, digest=digest(f"of.{token}"), terms=Terms(resource=resources))
    await house.store.apply((Save(bound),))
    return f"of.{token}"


async def test_garbage_is_dead(house: House, app: App, server: App) -> None:
    for token in ("x", "a.b.c", "....", "é" * 50, "vk_at_", "vk_rt_x", "\x01", "0" * 4000):
        assert await told(house, server, token) == DEAD


async def test_a_signed_answer(house: House, browser: Browser, app: App, server: App) -> None:
    token = await token_of(house, browser, app)
    for sent, active in ((token, True), ("unknown", False)):
        answer = await ask(house, server, sent, accept=f"{SIGNED}, application/json;q=0.1")
        assert (answer.status_code, answer.headers["content-type"]) == (200, SIGNED)
        (key,) = await house.keys()
        header, claims = read(answer.text, [key])
        assert header["typ"] == "token-introspection+jwt"
        assert set(claims) == {"iss", "aud", "iat", "token_introspection"}
        assert (claims["iss"], claims["aud"], claims["iat"]) == (SITE, server.id, house.clock())
        assert claims["token_introspection"] == await told(house, server, sent)
        assert claims["token_introspection"]["active"] is active


async def test_who_signs_nothing_says_so(house: House, app: App, server: App) -> None:
    kept = await house.store.client(server.id)
    assert kept is not None
    server = await house.registered(App(kept, server.secret), introspection_signed_response_alg="PS256")
    answer = await ask(house, server, "x", accept=SIGNED)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "with PS256" in answer.json()["error_description"], "given up since the server chose it"
    house.server.keys.take([])
    server = await house.registered(server, introspection_signed_response_alg="")
    answer = await ask(house, server, "x", accept=SIGNED)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
async def test_post_is_the_only_way(house: House, method: str) -> None:
    for path in ("/oauth/introspect", "/oauth/revoke"):
        answer = await house.raw(method, path)
        assert (answer.status, answer.header("allow")) == (405, "POST")
        assert method == "HEAD" or answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
async def test_bad_questions_are_told_what_is_wrong(house: House, app: App, path: str) -> None:
    http = house.http()
    who = {"client_id": app.id, "client_secret": app.secret}
    for fields, status, error in (
        (who, 400, "invalid_request"),
        ({"token": "x"}, 401, "invalid_client"),
        (who | {"token": "x", "client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": app.id, "token": "x"}, 401, "invalid_client"),
        ({"client_id": "nobody", "token": "x"}, 401, "invalid_client"),
    ):
        answer = await http.post(path, data=fields)
        assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
        assert ("www-authenticate" in answer.headers) == (status == 401)
    assert (await http.post(f"{path}?token=x", data=who)).json()["error"] == "invalid_request"
    twice = b"token=x&token=y&client_id=a"
    form = [(b"content-type", b"application/x-www-form-urlencoded")]
    assert (await house.raw("POST", path, headers=form, body=twice)).status == 400
    both = await http.post(
        path, data=who | {"token": "x"}, headers={"authorization": basic(app.id, app.secret or "")}
    )
    assert both.json()["error"] == "invalid_request"
