"""nginx before three replicas on PostgreSQL: they are killed and restarted in turn, and nobody loses anything by it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hosts.cluster import Cluster, Load, check, check_clean
from tests.torture import replay, wire
from tests.torture.house import Browser

ASKED_AGAIN = 2.1  # seconds until nginx asks a replica that failed: fail_timeout in docs/guides/many-hosts.md
pytestmark = pytest.mark.torture


@pytest.fixture
async def cluster(fresh_postgres: str, tmp_path: Path) -> AsyncIterator[tuple[Cluster, list[Browser]]]:
    made = Cluster(fresh_postgres, tmp_path)
    async with made.standing() as browsers:
        yield made, browsers


async def test_replicas_are_killed_and_restarted_in_turn(
    cluster: tuple[Cluster, list[Browser]], long_torture: bool
):
    front, browsers = cluster
    load = Load(front, browsers, replay.chance(long_torture))
    load.begin()
    kills, clock = 0, asyncio.get_running_loop().time
    for _ in range(30 if long_torture else 1):
        for replica in front.replicas:
            await load.more(60)
            replica.kill()
            kills, died_at = kills + 1, clock()
            await load.more(60)  # the others answer
            await replica.start()
            while clock() < died_at + ASKED_AGAIN:  # were all three passed over, nobody would be left
                await load.more(20)
    await load.end()
    print(front.answers, f"slowest {front.slowest:.2f} s, unanswered {load.unanswered}")
    await check(front, browsers)
    # what was cut off is what was under way on the one that died, and of that only what may not be sent again
    assert front.answers["GET away"] == 0
    assert front.answers["POST away"] <= kills * len(browsers)
    await nobody_is_there(front)


async def nobody_is_there(front: Cluster) -> None:
    """With no replica left, nginx itself says when to come again, to programs and to people."""
    for replica in front.replicas:
        replica.kill()
    for path, form in (("/v1/users/self", None), ("/oauth/access_token", {"code": "c"})):
        reply = await wire.ask(front.port, path, form)
        assert reply.status == 503, reply
        check_clean(path, reply)
    page = await wire.ask(front.port, "/accounts/login/", accept="text/html,*/*;q=0.8")
    assert (page.status, page.headers["content-type"]) == (503, "text/html")
    assert int(page.headers["retry-after"]) > 0 and b"<p>Please try again" in page.body


async def test_a_rolling_restart_fails_no_request(cluster: tuple[Cluster, list[Browser]], long_torture: bool):
    front, browsers = cluster
    load = Load(front, browsers, replay.chance(long_torture))
    load.begin()
    for _ in range(10 if long_torture else 1):
        for replica in front.replicas:
            await load.more(60)
            await replica.leave()
            await replica.start()
    await load.more(60)
    await load.end()
    print(front.answers, f"slowest {front.slowest:.2f} s, unanswered {load.unanswered}")
    assert set(front.answers) == {"GET done", "POST done"}
    await check(front, browsers)
