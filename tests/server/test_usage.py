"""Usage: what workers counted adds up, and nothing is forgotten while the database is away."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from valetkey.protocol.facts import BearerFacts
from valetkey.protocol.model import AccessToken, Account, Authorization, Client
from valetkey.server import usage as usage_module
from valetkey.server.usage import FEW, HOUR, LAST_CALLS, USED_EVERY, Usage
from valetkey.store import open_store
from valetkey.store.base import Unavailable

NOW = 500 * HOUR
LIMIT = 1000
AUTHORIZATION = Authorization(7, 1, "app", ("basic",), NOW)
FACTS = BearerFacts(
    AccessToken(bytes(32), AUTHORIZATION, NOW),
    Account(1, "snoop", "snoop", "Snoop", "", "", NOW),
    Client("app", 1, "App", "web", "classic", (), NOW),
)


class Away:
    """A store that can be away."""

    def __init__(self) -> None:
        self.store, self.away, self.asked = open_store("memory://"), False, 0

    async def add_usage(self, calls: Mapping, used: Mapping) -> Mapping:
        self.asked += 1
        if self.away:
            raise Unavailable("away")
        return await self.store.add_usage(dict(calls), dict(used))


async def workers(count: int) -> tuple[Away, list[Usage]]:
    store = Away()
    await store.store.open()
    return store, [Usage(store, lambda: NOW) for _ in range(count)]


async def call(usage: Usage, times: int = 1, limit: int = LIMIT, **more: Any) -> int:
    """So many calls with the one token; what the last of them was told."""
    for _ in range(times):
        counted = usage.count(replace(FACTS, **more), limit)
        count = counted if isinstance(counted, int) else await counted
    return count


async def test_counts_of_all_workers_add_up_when_shared():
    _, (one, two) = await workers(2)
    for usage, calls in ((one, 30), (two, 40)):
        assert await call(usage, calls) == calls
        await usage.share()
    assert await call(one) == 31
    await one.share()
    assert await call(two) == 71
    for usage in (one, two):
        await usage.close()


async def test_few_calls_are_told_nobody_and_all_of_them_once_they_are_many():
    store, (one, two) = await workers(2)
    assert await call(one, FEW - 1, used_at=NOW) == FEW - 1
    await one.share()
    assert (store.asked, one.timer) == (0, None)
    assert await call(one, used_at=NOW) == FEW
    await one.share()
    assert await call(two, FEW) == FEW
    await two.share()
    assert await call(two) == 2 * FEW + 1
    await two.close()


async def test_few_calls_count_where_a_limit_is_near():
    _, (one, two) = await workers(2)
    limit = LAST_CALLS + 3
    assert await call(one, 3, limit) == 3
    assert [await call(usage, 1, limit) for usage in (one, one)] == [4, 5]
    assert await call(two, 3, limit) == 3
    assert await call(two, 1, limit) == 9
    for usage in (one, two):
        await usage.close()


@pytest.mark.parametrize(
    ("used_at", "noted"), [(None, NOW), (NOW - USED_EVERY, NOW), (NOW - USED_EVERY + 1, None)]
)
async def test_the_time_of_last_use_is_noted_once_a_day(used_at: int | None, noted: int | None):
    store, (one,) = await workers(1)
    await call(one, 3, used_at=used_at)
    assert one.used.get(AUTHORIZATION.id) == noted
    await one.close()
    assert store.asked == (noted is not None)


async def test_another_hour_begins_at_nothing():
    store, _ = await workers(0)
    now = NOW
    usage = Usage(store, lambda: now)
    assert await call(usage, 50) == 50
    now += HOUR
    assert await call(usage) == 1
    assert len(usage.counts) == len(usage.few) == 1
    await usage.close()


async def test_what_is_more_than_can_be_kept_is_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(usage_module, "MOST_KEYS", 10)
    _, (one,) = await workers(1)
    assert await call(one, FEW) == FEW
    await one.share()
    for number in range(100):
        token = AccessToken((number + 1).to_bytes(32, "big"), AUTHORIZATION, NOW)
        assert 1 <= await call(one, 1 + number % 2 * FEW, token=token) <= FEW + 1
        assert len(one.counts) <= 11 and len(one.few) <= 11
    one.forget(NOW // HOUR)
    one.fresh.clear()
    await call(one, FEW)
    await one.share()
    assert await call(one) == 2 * FEW + 1  # what was shared comes back
    await one.close()


async def test_what_waits_for_the_store_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(usage_module, "MOST_KEYS", 10)
    store, _ = await workers(0)
    store.away, now = True, NOW
    usage = Usage(store, lambda: now)
    for number in range(100):
        root = replace(AUTHORIZATION, id=number)
        await call(usage, FEW, token=AccessToken(bytes(32), root, NOW))
        await usage.share()
        now += HOUR
    assert len(usage.fresh) <= 3 and len(usage.used) <= 11
    await usage.close()


async def test_nothing_is_asked_of_the_store_while_nobody_calls():
    store, (one,) = await workers(1)
    await one.share()
    await one.close()
    assert store.asked == 0


async def test_what_cannot_be_shared_waits():
    store, (one, two) = await workers(2)
    await call(one, FEW)
    store.away = True
    await one.share()
    assert await call(one, LAST_CALLS + 5, LAST_CALLS) == FEW + LAST_CALLS + 5
    store.away = False
    await one.close()
    await call(two, FEW)
    await two.share()
    assert await call(two) == 2 * FEW + LAST_CALLS + 6
    await two.close()


async def test_the_last_calls_of_an_hour_are_exact_whoever_is_asked():
    _, usages = await workers(3)
    limit = LAST_CALLS
    seen = [await call(usages[i % 3], 1, limit) for i in range(limit + 5)]
    assert seen[:limit] == list(range(1, limit + 1))
    assert all(count > limit for count in seen[limit:])
    for usage in usages:
        await usage.close()
