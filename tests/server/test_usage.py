"""Usage: what workers counted adds up, and nothing is forgotten while the database is away."""

from collections.abc import Mapping

from valetkey.protocol.model import AccessToken, Account, Authorization, BearerFacts, Client
from valetkey.server.usage import HOUR, LAST_CALLS, Usage
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


async def test_counts_of_all_workers_add_up_when_shared():
    _, (one, two) = await workers(2)
    for usage, calls in ((one, 3), (two, 4)):
        for _ in range(calls):
            await usage.count(FACTS, LIMIT)
        await usage.close()
    assert await one.count(FACTS, LIMIT) == 4
    await one.close()
    assert await two.count(FACTS, LIMIT) == 8
    await two.close()


async def test_nothing_is_asked_of_the_store_while_nobody_calls():
    store, (one,) = await workers(1)
    await one.share()
    await one.close()
    assert store.asked == 0


async def test_what_cannot_be_shared_waits():
    store, (one, two) = await workers(2)
    await one.count(FACTS, LIMIT)
    store.away = True
    await one.share()
    await one.count(FACTS, LIMIT)
    store.away = False
    await one.close()
    await two.count(FACTS, LIMIT)
    await two.close()
    assert await two.count(FACTS, LIMIT) == 4
    await two.close()


async def test_the_last_calls_of_an_hour_are_exact_whoever_is_asked():
    _, usages = await workers(3)
    limit = LAST_CALLS
    seen = [await usages[i % 3].count(FACTS, limit) for i in range(limit + 5)]
    assert seen[:limit] == list(range(1, limit + 1))
    assert all(count > limit for count in seen[limit:])
    for usage in usages:
        await usage.close()
