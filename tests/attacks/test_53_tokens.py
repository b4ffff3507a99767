"""5.3, C17, D10: tokens shown to the wrong server, revoked in vain, taken for one another, made up."""

from collections.abc import Awaitable, Callable

import httpx2
import pytest

from tests.flows.browser import Browser
from tests.flows.questions import DEAD, ask, give_back, refresh_token_of, registered, told
from tests.flows.today import PKCE, redeem, token_of
from tests.house import ONE_STORE, App, House, Person
from valetkey.protocol.changes import Revoke
from valetkey.protocol.rules.digest import digest
from valetkey.server import accounts, clients


async def test_CVE_2024_47077_introspection_across_clients(house: House, browser: Browser, app: App) -> None:
    """What is another's cannot be told from what never was: not by the answer, and not by its length."""
    token = await token_of(house, browser, app)
    refresh = await refresh_token_of(house, token)
    owner = house.people["developer"]
    for who in (
        await house.make_app(profile="oauth21", name="Another", owner=owner),
        await house.make_app(profile="oauth20", name="Of yesterday"),
        await registered(house),  # a service that nobody made a server which takes tokens
    ):
        seen = {(await ask(house, who, shown)).content for shown in (token, refresh, "vk_at_x", "a.b.c")}
        assert seen == {b'{"active":false}'}


async def test_CVE_2016_6582_revocation_that_does_nothing(house: House, browser: Browser, app: App) -> None:
    """CVE-2018-1000211 too: whatever the hint, the method and the worker, what was revoked is refused everywhere."""
    worker = await house.another_worker()
    for hint in ({}, {"token_type_hint": "access_token"}, {"token_type_hint": "refresh_token"}):
        token = await token_of(house, browser, app)
        assert (await give_back(house, app, token, **hint)).status_code == 200
        assert not await house.lives(token) and not await worker.lives(token)
        assert await told(worker, app, token) == DEAD
        token = await token_of(house, browser, app)
        refresh = await refresh_token_of(house, token)
        assert (await give_back(house, app, refresh, **hint)).status_code == 200
        assert not await worker.lives(token) and await told(worker, app, refresh) == DEAD


Deed = Callable[[House, Person, App, str], Awaitable[object]]


async def a_code_is_shown_again(house: House, person: Person, app: App, token: str) -> None:
    facts = await house.store.bearer_facts(digest(token))
    assert facts is not None
    await house.store.apply((Revoke(facts.token.authorization.id, house.clock()),))


DEEDS: dict[str, Deed] = {
    "the person takes it back": lambda house, person, app, token: accounts.revoke_app(
        house.server, person.account, app.id
    ),
    "the person is disabled": lambda house, person, app, token: accounts.disable(
        house.server, person.account.id
    ),
    "the password is new": lambda house, person, app, token: accounts.set_password(
        house.server, person.account.id, "another long password"
    ),
    "the app is disabled": lambda house, person, app, token: clients.change(
        house.server, house.people["developer"].account, app.id, lambda _: {"disabled_at": house.clock()}
    ),
    "the app is deleted": lambda house, person, app, token: clients.delete(
        house.server, house.people["developer"].account, app.id
    ),
    "the authorization ends": a_code_is_shown_again,
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_D10_CVE_2026_8922_introspection_knows_what_has_ended(
    house: House, browser: Browser, snoop: Person, app: App, deed: str
) -> None:
    """CVE-2023-0091, CVE-2024-46999 too."""
    worker = await house.another_worker()
    server = await registered(house, introspects=True)
    token = await token_of(house, browser, app)
    refresh = await refresh_token_of(house, token)
    assert (await told(worker, server, token))["active"] is True
    await DEEDS[deed](house, snoop, app, token)
    assert await told(worker, server, token) == DEAD
    asked = await ask(worker, app, refresh)
    assert asked.status_code == 401 or asked.json() == DEAD


async def test_C17_one_kind_of_secret_is_not_another(house: House, browser: Browser, app: App) -> None:
    code = await house.code(browser, app, **PKCE)
    token = await token_of(house, browser, app)
    refresh = await refresh_token_of(house, token)
    assert await told(house, app, code) == DEAD
    for shown in (code, refresh):
        assert not await house.lives(shown)
    for shown in (token, refresh, "vk_ac_" + token[6:]):
        answer = await redeem(house, app, shown)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert (await redeem(house, app, code)).status_code == 200


@ONE_STORE
async def test_C7_what_cannot_be_a_token_is_not_looked_for(
    house: House, browser: Browser, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checksum tells; a token of today's form with any other is refused without a question to the database."""
    token = await token_of(house, browser, app)
    looked: list[bytes] = []
    real = house.store._one  # type: ignore[attr-defined]

    async def seen(point: object, *keys: object) -> object:
        looked.extend(key for key in keys if isinstance(key, bytes))
        return await real(point, *keys)

    monkeypatch.setattr(house.store, "_one", seen)
    assert await house.lives(token)
    assert looked == [digest(token)]
    looked.clear()
    for place in (10, 30, 66):
        wrong = token[:place] + ("a" if token[place] != "a" else "b") + token[place + 1 :]
        assert not await house.lives(wrong)
        assert await told(house, app, wrong) == DEAD
        assert (await give_back(house, app, wrong)).status_code == 200
    assert [key for key in looked if key] == []


@ONE_STORE
async def test_J8_a_caller_that_guesses_secrets_is_slowed_down(house: House, app: App) -> None:
    """The introspection endpoint is no way around the limit of the token endpoint (D4)."""
    house.server.failures.most = 5
    http = house.http()
    fields = {"client_id": app.id, "client_secret": "guess", "token": "x"}
    answers: list[httpx2.Response] = []
    for path in ("/oauth/introspect", "/oauth/revoke", "/oauth/introspect", "/oauth/revoke") * 2:
        answers.append(await http.post(path, data=fields))
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 3
    assert answers[-1].headers["retry-after"] == "60"


@ONE_STORE
async def test_C19_no_account_can_have_the_name_of_an_app(house: House, app: App) -> None:
    """`sub` of an app's own token is its client_id; that of a person is decimal (RFC 9700 4.15)."""
    for _ in range(500):
        assert not house.server.mint.client_id().isdigit()
        assert str(house.server.mint.account_id()).isdigit()
    service = await registered(house, introspects=True)
    answer = await house.http().post(
        "/oauth/token",
        data={"grant_type": "client_credentials", "client_id": service.id, "client_secret": service.secret},
    )
    assert answer.status_code == 200, answer.text
    about = await told(house, service, answer.json()["access_token"])
    assert (about["sub"], about["client_id"]) == (service.id, service.id) and "username" not in about


async def test_CVE_2026_27840_a_shortened_token_is_no_token(house: House, browser: Browser, app: App) -> None:
    token = await token_of(house, browser, app)
    for wrong in (token[:-1], token[:60], token + "A", token.upper(), f"{token}\x00", f" {token}"):
        answer = await ask(house, app, wrong)
        assert answer.status_code == 400 or answer.json() == DEAD
