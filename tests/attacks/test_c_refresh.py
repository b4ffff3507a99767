"""C12, C13. Refresh tokens: widened, replayed, raced for, another client's, after the end; mistaken for one another."""

import asyncio
from pathlib import Path

import httpx2
import pytest
from msgspec.structs import replace

from tests.flows.browser import Browser
from tests.flows.today import PKCE, VERIFIER, Pair, check_refused, first_pair, next_pair, refresh
from tests.house import App, House, Person
from tests.proofs import Prover
from valetkey.protocol.changes import Changes, Save
from valetkey.protocol.model import Client, Registration
from valetkey.server import accounts, clients
from valetkey.store.base import Unavailable

DAY = 86400


async def change(house: House, app: App, **fields: object) -> None:
    """What an operator or the developer may do to an app."""
    now = await house.store.client(app.id)
    assert isinstance(now, Client)
    await house.store.apply((Save(replace(now, version=now.version + 1, **fields)),))


async def ended(house: House, app: App, *pairs: Pair) -> None:
    for pair in pairs:
        check_refused(await refresh(house, app, pair))
        assert not await house.lives(pair["access_token"])


async def test_C12_a_refresh_never_widens_the_scope(house: House, app: App, browser: Browser) -> None:
    pair = await first_pair(house, browser, app, scope="likes")
    for wider in ("basic", "likes basic", "likes comments", "likes no-such", "LIKES", "likes,basic", "*"):
        check_refused(await refresh(house, app, pair, scope=wider), "invalid_scope")
    pair = await next_pair(house, app, pair)
    assert pair["scope"] == "likes"
    check_refused(await refresh(house, app, pair, scope="likes basic"), "invalid_scope")


async def test_C12_less_once_is_not_all_for_who_has_less(house: House, app: App, browser: Browser) -> None:
    """A narrowed access token stays narrow, also when the answer is told again."""
    first = await first_pair(house, browser, app, scope="basic likes")
    less = await next_pair(house, app, first, scope="basic")
    again = await next_pair(house, app, first, scope="basic")
    assert (less["scope"], again) == ("basic", less)
    assert (await refresh(house, app, first, scope="basic comments")).json()["error"] == "invalid_scope"


async def test_C12_a_scope_that_the_app_lost_is_given_no_more(
    house: House, app: App, browser: Browser
) -> None:
    """GHSA-895x-rfqp-jh5c: what was granted for long outlived the removal of its scope."""
    pair = await first_pair(house, browser, app, scope="basic likes")
    await change(house, app, registered=Registration(scope=("basic",)))
    check_refused(await refresh(house, app, pair, scope="likes"), "invalid_scope")
    pair = await next_pair(house, app, pair)
    assert pair["scope"] == "basic"
    await change(house, app, registered=Registration(scope=("comments",)))
    check_refused(await refresh(house, app, pair), "invalid_scope")


async def test_C13_a_replay_ends_both(house: House, app: App, browser: Browser) -> None:
    """RFC 9700 4.14.2: who of the two is the thief, nobody can tell."""
    first = await first_pair(house, browser, app)
    thief = dict(first)
    second = await next_pair(house, app, first)
    third = await next_pair(house, app, second)
    await ended(house, app, thief, third, second)
    assert len(await house.store.notices(app.id, 9)) == 1


async def test_C13_a_thief_who_comes_first_is_found_when_the_owner_comes(
    house: House, app: App, browser: Browser
) -> None:
    first = await first_pair(house, browser, app)
    stolen = await next_pair(house, app, first)
    house.clock.forward(121)
    await ended(house, app, first, stolen)


async def test_C13_of_racers_all_have_the_same_and_no_second_line(
    house: House, app: App, browser: Browser
) -> None:
    """CVE-2026-1035: looked at, then used, and two came in between."""
    first, other = await first_pair(house, browser, app), await house.another_worker()
    told = await asyncio.gather(*(next_pair((house, other)[turn % 2], app, first) for turn in range(40)))
    assert len({pair["refresh_token"] for pair in told}) == len({pair["access_token"] for pair in told}) == 1
    last = await next_pair(other, app, told[0])
    await ended(house, app, first, last)


async def test_C13_a_race_of_owner_and_replay_ends_with_nobody(
    house: House, app: App, browser: Browser
) -> None:
    """Whatever the order, no token lives on behind the revocation."""
    other = await house.another_worker()
    for _ in range(5):
        first = await first_pair(house, browser, app)
        second = await next_pair(house, app, first)
        third = await next_pair(house, app, second)
        answers = await asyncio.gather(
            *(refresh((house, other)[turn % 2], app, (third, first)[turn % 2]) for turn in range(8))
        )
        given = [answer.json() for answer in answers if answer.status_code == 200]
        await ended(house, app, third, *given)


async def test_C13_rotations_of_one_second_are_told_apart(house: House, app: App, browser: Browser) -> None:
    """kc#50999: the clock stands still, and no time is compared."""
    pairs = [await first_pair(house, browser, app)]
    for _ in range(3):
        pairs.append(await next_pair(house, app, pairs[-1]))
    check_refused(await refresh(house, app, pairs[1]))
    await ended(house, app, *pairs)


async def test_C13_a_restart_forgets_nothing(house: House, app: App, browser: Browser) -> None:
    """CVE-2026-9802: which tokens were used, and which answer may be told again."""
    first = await first_pair(house, browser, app)
    second = await next_pair(house, app, first)
    if type(house.store).__name__ == "MemoryStore":
        return  # which ends with its process
    fresh = await house.another_worker()
    assert await next_pair(fresh, app, first) == second
    third = await next_pair(fresh, app, second)
    fresh = await house.another_worker()
    await ended(fresh, app, first, third)


async def test_C13_another_client_gets_nothing_and_ends_nothing(
    house: House, app: App, browser: Browser
) -> None:
    """CVE-2026-55672. Nor does who has the token, and not the secret."""
    other = await house.make_app(profile="oauth21", name="Other")
    public = await house.make_app(profile="oauth21", name="Public", type="spa")
    first = await first_pair(house, browser, app)
    second = await next_pair(house, app, first)
    third = await next_pair(house, app, second)
    for pair in (first, second, third):
        for thief in (other, public):
            check_refused(await refresh(house, thief, pair))
        check_refused(await refresh(house, app, pair, client_secret="guessed"), "invalid_client")
        check_refused(await refresh(house, app, pair, client_secret=None), "invalid_client")
    assert await house.lives(third["access_token"])
    assert await house.store.notices(app.id, 9) == []
    await next_pair(house, app, third)


async def test_C13_a_thief_without_the_key_gets_nothing_and_ends_nothing(
    house: House, browser: Browser
) -> None:
    """RFC 9449 5: the refresh tokens of an app without a secret are bound to its key, successors too."""
    app, key = await house.make_app(profile="oauth21", type="native"), Prover()
    first = await first_pair(house, browser, app, key)
    assert first["token_type"] == "DPoP"
    second = await next_pair(house, app, first, key)
    assert await next_pair(house, app, first, key) == second, "a retry has a proof of its own"
    third = await next_pair(house, app, second, key)
    for pair in (first, second, third):
        for thief in (None, Prover()):
            check_refused(await refresh(house, app, pair, thief))
    assert await house.store.notices(app.id, 9) == []
    fourth = await next_pair(house, app, third, key)
    check_refused(await refresh(house, app, first, key))
    check_refused(await refresh(house, app, fourth, key))
    assert len(await house.store.notices(app.id, 9)) == 1


async def test_C13_a_retry_with_another_key_gets_no_token_of_the_first(
    house: House, app: App, browser: Browser
) -> None:
    """An app with a secret may change its key; what was bound to the one before stays bound to that."""
    first, one, two = await first_pair(house, browser, app), Prover(), Prover()
    told = [await next_pair(house, app, first, key) for key in (one, two, None, one)]
    assert len({pair["refresh_token"] for pair in told}) == 1
    assert [pair["token_type"] for pair in told] == ["DPoP", "DPoP", "Bearer", "DPoP"]
    assert told[0]["access_token"] == told[3]["access_token"]
    assert len({pair["access_token"] for pair in told}) == 3


async def test_C13_nothing_is_given_after_the_end(
    house: House, app: App, browser: Browser, snoop: Person
) -> None:
    """CVE-2026-43983, D10: taken back, person shut out, app shut out, app deleted, grant withdrawn from the app."""
    first = await first_pair(house, browser, app)
    lost = await next_pair(house, app, first)
    await accounts.revoke_app(house.server, snoop.account, app.id)
    await ended(house, app, first, lost)
    pair = await first_pair(house, browser, app)
    off = replace(snoop.account, disabled_at=house.clock(), version=2)
    await house.store.apply((Save(off),))  # whoever did it forgot to end what apps hold
    check_refused(await refresh(house, app, pair))
    await accounts.enable(house.server, snoop.account.id)
    await change(house, app, registered=Registration(grant_types=("authorization_code",)))
    check_refused(await refresh(house, app, pair), "unauthorized_client")
    await change(house, app, registered=Registration(), disabled_at=0)
    check_refused(await refresh(house, app, pair), "invalid_client")
    await change(house, app, disabled_at=None)
    pair = await next_pair(house, app, pair)
    developer = house.people["developer"].account
    await clients.delete(house.server, developer, app.id)
    check_refused(await refresh(house, app, pair), "invalid_client")


async def test_C13_the_browser_has_no_say_in_it(house: House, app: App, browser: Browser) -> None:
    """CVE-2022-3916: on a shared computer the next person got tokens of the one before."""
    pair = await first_pair(house, browser, app)
    page = await browser.open("/accounts/manage_access/")
    await browser.submit(page, page.form("/logout/"), {})
    dre = await house.make_account("dre", "Dr. Dre")
    page = await browser.open("/accounts/login/")
    await browser.login(page, dre.username, dre.password)
    theirs = await first_pair(house, browser, app)
    for mine, name in ((await next_pair(house, app, pair), "snoopdogg"), (theirs, "dre")):
        header = {"authorization": f"Bearer {mine['access_token']}"}
        answer = await house.http().get("/v1/users/self", headers=header)
        assert answer.json()["data"]["username"] == name
    await accounts.revoke_app(house.server, dre.account, app.id)
    await ended(house, app, theirs)


async def test_C13_there_is_an_end_to_it(house: House, app: App, browser: Browser) -> None:
    pair = await first_pair(house, browser, app)
    for _ in range(9):
        house.clock.forward(20 * DAY - 1)
        last, pair = pair, (await refresh(house, app, pair)).json()
    house.clock.forward(9)
    check_refused(await refresh(house, app, pair))
    check_refused(await refresh(house, app, last))


async def test_C17_no_token_does_for_another(house: House, app: App, browser: Browser) -> None:
    code = await house.code(browser, app, **PKCE)
    pair = await first_pair(house, browser, app)
    for wrong in (code, pair["access_token"], app.secret, app.id):
        check_refused(await refresh(house, app, pair, refresh_token=wrong))
    assert not await house.lives(pair["refresh_token"])
    fields = house.exchange_fields(app, pair["refresh_token"], redirect_uri=None, code_verifier=VERIFIER)
    check_refused(await house.http().post("/oauth/token", data=fields))
    await next_pair(house, app, pair)


@pytest.mark.parametrize("at", ["look_up", "write"])
async def test_C13_a_database_that_fails_ends_nothing(
    house: House, app: App, browser: Browser, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2020-15223: an error of the store was told as a token that is no good."""
    pair = await first_pair(house, browser, app)

    async def gone(*_: object) -> Changes:
        raise Unavailable("gone")

    with monkeypatch.context() as broken:
        broken.setattr(type(house.store), "refresh_facts" if at == "look_up" else "apply", gone)
        answer = await refresh(house, app, pair)
    check_refused(answer, "temporarily_unavailable", 503)
    assert answer.headers["retry-after"]
    await next_pair(house, app, pair)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_R8_no_refresh_token_is_kept(
    house: House, app: App, browser: Browser, fresh_sqlite: Path
) -> None:
    """Nor is the answer that can be told again, for who has the database alone."""
    first = await first_pair(house, browser, app)
    second = await next_pair(house, app, first)
    kept = b"".join(file.read_bytes() for file in fresh_sqlite.parent.glob(f"{fresh_sqlite.name}*"))
    assert app.id.encode() in kept
    for pair in (first, second):
        for name in ("refresh_token", "access_token"):
            assert pair[name].encode() not in kept
    assert await next_pair(house, app, first) == second


async def test_C7_descriptions_do_not_tell_which_tokens_there_are(
    house: House, app: App, browser: Browser
) -> None:
    """Somebody else's and one that never was are the same to who asks."""
    other = await house.make_app(profile="oauth21", name="Other")
    pair = await first_pair(house, browser, app)
    answers: list[httpx2.Response] = [
        await refresh(house, other, pair),
        await refresh(house, other, pair, refresh_token="vk_rt_" + "0" * 61),
    ]
    assert answers[0].json() == answers[1].json()
