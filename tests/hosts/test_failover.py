"""PostgreSQL's primary is lost under load and its standby promoted: a clean 503 meanwhile, nothing lost or revived."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.hosts.cluster import Cluster, Load, check, check_clean
from tests.hosts.standby import Pair
from tests.torture import replay, wire
from tests.torture.house import REDIRECT, Browser
from tests.waiting import becomes
from valetkey.web.guard import csrf_for

pytestmark = pytest.mark.torture


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[tuple[Pair, Cluster, list[Browser]]]:
    pair = Pair()
    try:
        pair.primary.sql("CREATE DATABASE many")
        await pair.follow()
        cluster = Cluster(pair.url("many"), tmp_path, replicas=2)
        async with cluster.standing() as browsers:
            yield pair, cluster, browsers
    finally:
        pair.discard()


def crash(pair: Pair) -> None:
    pair.primary.crash()


def freeze(pair: Pair) -> None:
    pair.signal_primary(signal.SIGSTOP)


async def nobody_is_left_alone(cluster: Cluster, browser: Browser) -> None:
    """Without a primary programs read JSON in their own form, people a page, and all of them when to come again."""
    session, visitor, csrf = f"valetkey={browser.cookie}", "v" * 43, csrf_for(browser.cookie)
    asked = f"client_id={cluster.app.client.id}&redirect_uri={REDIRECT}&response_type=code"
    code = {"grant_type": "authorization_code", "client_id": "a", "client_secret": "b", "code": "c"}
    code["redirect_uri"] = REDIRECT
    login = {"csrf": csrf_for(visitor), "username": "person1", "password": "correct horse"}
    programs = (
        ("/v1/users/self?access_token=abc", None, ""),
        ("/oauth/access_token", code, ""),
        ("/oauth/token", code, ""),
        ("/readyz", None, ""),
    )
    people = (
        (f"/oauth/authorize?{asked}", None, session),
        ("/oauth/authorize/consent", {"csrf": csrf, "ticket": "t", "decision": "allow"}, session),
        ("/accounts/login/", login, f"valetkey_visitor={visitor}"),
        ("/accounts/manage_access/", None, session),
        ("/accounts/manage_access/", {"csrf": csrf, "client_id": cluster.app.client.id}, session),
        ("/accounts/edit/", None, session),
        ("/developer/", None, session),
    )

    async def program(path: str, form: dict[str, str] | None, cookie: str) -> None:
        reply = await wire.ask(cluster.port, path, form, cookie)
        assert reply.status == 503, (path, reply)
        check_clean(path, reply)

    async def person(path: str, form: dict[str, str] | None, cookie: str) -> None:
        page = await wire.ask(cluster.port, path, form, cookie, accept="text/html")
        assert page.status == 503, (path, page)
        assert int(page.headers["retry-after"]) > 0
        assert b"<h1" in page.body, (path, page)

    asks = [program(*one) for one in (*programs, *people)] + [person(*one) for one in people]
    await asyncio.gather(*asks)


@pytest.mark.parametrize(("lose", "longest"), [(crash, 5.0), (freeze, 9.0)])
async def test_the_primary_is_lost(
    made: tuple[Pair, Cluster, list[Browser]],
    lose: Callable[[Pair], None],
    longest: float,
    long_torture: bool,
):
    pair, cluster, browsers = made
    clock = asyncio.get_running_loop().time
    load = Load(cluster, browsers, replay.chance(long_torture))
    load.begin()
    await load.more(150)
    assert load.unanswered == 0

    await asyncio.to_thread(lose, pair)
    lost_at = clock()
    await becomes(lambda: load.unanswered >= len(browsers), "everybody was turned away", 15)
    if lose is crash:
        await nobody_is_left_alone(cluster, browsers[0])
    # never a cut connection; whoever is told anything but yes or 503 fails where it is read
    assert set(cluster.answers) <= {"GET done", "POST done", "GET away", "POST away"}

    done = load.done
    await pair.promote()
    promoted_at = clock()
    await becomes(lambda: load.done > done, "somebody is served again", 10)
    back_after = clock() - promoted_at
    await load.more(150)
    await load.end()
    print(
        f"{lose.__name__}: {promoted_at - lost_at:.2f} s without a primary, back {back_after:.2f} s after it;"
    )
    print(f"slowest answer {cluster.slowest:.2f} s; {dict(cluster.answers)}")
    assert cluster.slowest < longest
    assert set(cluster.answers) <= {"GET done", "POST done", "GET away", "POST away"}
    await check(cluster, browsers)

    # the old primary comes back as if nothing had happened, and a replica that knows of nothing starts
    if lose is freeze:
        pair.signal_primary(signal.SIGCONT)
    else:
        await asyncio.to_thread(pair.primary.start)
    await cluster.replicas[0].leave()
    await cluster.replicas[0].start()
    await check(cluster, browsers)
