"""Programs among themselves: an app asks for itself, and a gateway goes on with a token it was handed (RFC 8693)."""

from typing import Any

import httpx2
from msgspec.structs import replace

from tests.flows.browser import Browser
from tests.flows.today import PKCE, check_refused, redeem
from tests.house import SITE, App, Build, House, parameters
from tests.signing import Signer
from valetkey.protocol.changes import Remove, Save, Withdraw
from valetkey.protocol.grants.jwt_bearer import JWT_BEARER
from valetkey.protocol.grants.token_exchange import ACCESS_TOKEN, TOKEN_EXCHANGE
from valetkey.protocol.model import NOBODY
from valetkey.protocol.rules.digest import digest
from valetkey.protocol.trusted_issuer import TrustedIssuer
from valetkey.server.clients import rotate_secret

API = "https://api.example/"


async def service(house: House, kind: str = "service", **registered: Any) -> App:
    """An app that is a program on a server."""
    made = await house.make_app(type=kind, profile="oauth21", name="Gateway")
    return await house.registered(made, **registered)


async def asks(house: House, app: App, grant: str, **fields: str) -> httpx2.Response:
    """A token request with Basic."""
    assert app.secret is not None
    return await house.http().post(
        "/oauth/token", data={"grant_type": grant, **fields}, auth=(app.id, app.secret)
    )


async def test_an_app_asks_for_itself(house: House) -> None:
    app = await service(house, scope=("likes", "basic"))
    answer = await asks(house, app, "client_credentials", scope="likes")
    body = answer.json()
    assert answer.status_code == 200, body
    assert set(body) == {
        "access_token",
        "token_type",
        "scope",
        "expires_in",
    }  # no refresh token (RFC 6749 4.4.3)
    assert (body["scope"], body["expires_in"]) == ("likes", 3600)
    assert not await house.lives(body["access_token"])  # it is nobody's, and opens nobody's data
    check_refused(await asks(house, app, "client_credentials", scope="comments"), "invalid_scope")
    for other in (await house.make_app(profile="oauth21"), await house.make_app(profile="oauth20")):
        check_refused(await asks(house, other, "client_credentials"), "unauthorized_client")


async def test_D10_an_app_that_asks_again_and_again_is_seen_as_it_is_now(house: House) -> None:
    """Whatever another worker has changed counts for the very next request, although both know the app well."""
    other, app = await house.another_worker(), await service(house, scope=("likes", "basic"))

    async def both(now: App) -> list[tuple[int, str]]:
        answers = [await asks(each, now, "client_credentials", scope="likes") for each in (house, other)]
        told = [(each.status_code, each.json()) for each in answers]
        return [(status, said.get("error") or said["access_token"]) for status, said in told]

    async def alive(token: str) -> bool:
        found = await other.store.bearer_facts(digest(token))
        return found is not None and not found.ended(house.clock())

    async def disabled(at: int | None) -> None:
        now = await house.store.client(app.id)
        assert now is not None
        await house.store.apply((Save(replace(now, disabled_at=at, version=now.version + 1)),))

    for _ in range(3):
        granted = await both(app)
        assert [status for status, _ in granted] == [200, 200]
    assert [await alive(token) for _, token in granted] == [True, True]
    await disabled(house.clock())
    assert await both(app) == [(401, "invalid_client")] * 2
    assert [await alive(token) for _, token in granted] == [False, False]
    await disabled(None)
    assert [status for status, _ in await both(app)] == [200, 200]
    owner = await house.store.account(app.client.owner_id)
    assert owner is not None
    secret = await rotate_secret(house.server, owner, app.id, 0)
    assert await both(app) == [(401, "invalid_client")] * 2
    app = App(app.client, secret)
    granted = await both(app)
    assert [status for status, _ in granted] == [200, 200]
    await house.store.apply((Withdraw(NOBODY, app.id, house.clock()),))
    assert [await alive(token) for _, token in granted] == [False, False]
    assert [await alive(token) for _, token in await both(app)] == [True, True]
    await house.store.apply((Remove(app.id),))
    assert await both(app) == [(401, "invalid_client")] * 2


async def handed(house: House, browser: Browser) -> tuple[App, str]:
    """An app, and a token that a person gave it."""
    app = await house.make_app(profile="oauth21")
    where = await house.allow(browser, app, scope="basic likes", **PKCE)
    answer = await redeem(house, app, parameters(where)["code"])
    return app, str(answer.json()["access_token"])


async def test_a_gateway_goes_on_with_a_token_it_was_handed(house: House, browser: Browser) -> None:
    app, token = await handed(house, browser)
    gateway = await service(
        house, grant_types=(TOKEN_EXCHANGE.name,), exchanges_of=(app.id,), exchanges_for=(API,)
    )
    house.clock.forward(600)
    fields = {"subject_token": token, "subject_token_type": ACCESS_TOKEN}
    answer = await asks(house, gateway, TOKEN_EXCHANGE.name, **fields, scope="basic", resource=API)
    body = answer.json()
    assert answer.status_code == 200, body
    assert (body["issued_token_type"], body["token_type"]) == (ACCESS_TOKEN, "Bearer")
    assert (body["scope"], body["expires_in"]) == ("basic", 3000)
    wider = {"subject_token": body["access_token"], "subject_token_type": ACCESS_TOKEN, "scope": "likes"}
    check_refused(await asks(house, gateway, TOKEN_EXCHANGE.name, **wider), "invalid_scope")
    beyond = await asks(house, gateway, TOKEN_EXCHANGE.name, **fields, resource="https://other.example/")
    check_refused(beyond, "invalid_target")
    stranger = await service(house, grant_types=(TOKEN_EXCHANGE.name,), exchanges_of=("nobody",))
    check_refused(await asks(house, stranger, TOKEN_EXCHANGE.name, **fields), "invalid_request")
    check_refused(await asks(house, app, TOKEN_EXCHANGE.name, **fields), "unauthorized_client")


async def test_taking_it_back_ends_what_was_exchanged(house: House, browser: Browser) -> None:
    app, token = await handed(house, browser)
    gateway = await service(house, grant_types=(TOKEN_EXCHANGE.name,), exchanges_of=(app.id,))
    fields = {"subject_token": token, "subject_token_type": ACCESS_TOKEN}
    again = (await asks(house, gateway, TOKEN_EXCHANGE.name, **fields)).json()["access_token"]
    assert await house.lives(again)
    person = house.people["snoopdogg"].account
    await house.store.apply((Withdraw(person.id, app.id, house.clock()),))
    assert not await house.lives(again) and not await house.lives(token)
    check_refused(await asks(house, gateway, TOKEN_EXCHANGE.name, **fields), "invalid_request")
    fields["subject_token"] = again
    check_refused(await asks(house, gateway, TOKEN_EXCHANGE.name, **fields), "invalid_request")


async def test_somebody_trusted_vouches_for_a_person(build: Build, database: str) -> None:
    """RFC 7523 2.1: what the person allowed the app before, and once for each assertion."""
    signer = Signer("ES256", "hr")
    trusted = TrustedIssuer("https://hr.example", signer.jwks, clients=("*",))
    house = await build(trusted_issuers=(trusted,))
    person = await house.make_account()
    app = await service(house, "web", grant_types=("authorization_code", JWT_BEARER.name))

    def assertion(jti: str, **more: Any) -> str:
        now = house.clock()
        claims = {"iss": "https://hr.example", "sub": "SnoopDogg", "aud": SITE, "exp": now + 60, "jti": jti}
        return signer.jwt(claims | more)

    check_refused(await asks(house, app, JWT_BEARER.name, assertion=assertion("1")), "invalid_grant")
    await house.allow(await house.logged_in(person), app, scope="basic likes", **PKCE)
    body = (await asks(house, app, JWT_BEARER.name, assertion=assertion("2"), scope="likes basic")).json()
    assert (body["scope"], "refresh_token" in body) == ("likes basic", False)
    assert await house.lives(body["access_token"])
    replayed = await asks(house, app, JWT_BEARER.name, assertion=assertion("2"), scope="likes basic")
    check_refused(replayed, "invalid_grant")
    for wrong in (
        {"sub": "nobody"},
        {"sub": str(person.account.id)},
        {"iss": "https://b.example"},
        {"sub": 5},
    ):
        answer = await asks(house, app, JWT_BEARER.name, assertion=assertion("3", **wrong))
        check_refused(answer, "invalid_grant")
    check_refused(await asks(house, app, JWT_BEARER.name, assertion="x"), "invalid_grant")
    check_refused(
        await asks(house, app, JWT_BEARER.name, assertion=assertion("4"), scope="comments"), "invalid_grant"
    )
    await house.store.apply((Withdraw(person.account.id, app.id, house.clock()),))
    check_refused(await asks(house, app, JWT_BEARER.name, assertion=assertion("5")), "invalid_grant")


async def test_where_the_issuer_means_ids(build: Build, database: str) -> None:
    signer = Signer("ES256", "hr")
    trusted = TrustedIssuer("https://hr.example", signer.jwks, clients=("*",), subject="id", first_party=True)
    house = await build(trusted_issuers=(trusted,))
    person = await house.make_account()
    app = await service(house, grant_types=(JWT_BEARER.name,))
    for sub, ok in (
        (str(person.account.id), True),
        ("snoopdogg", False),
        ("9" * 19, False),
        ("9" * 30, False),
    ):
        claims = {"iss": "https://hr.example", "sub": sub, "aud": SITE, "exp": house.clock() + 60, "jti": sub}
        answer = await asks(house, app, JWT_BEARER.name, assertion=signer.jwt(claims))
        assert (answer.status_code == 200) is ok, answer.text
