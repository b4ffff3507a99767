"""The store alone, among the tokens of a filled database: seconds an operation takes when sixteen go together.

    stored.py DATABASE LIVE ORDERED FIRST_CODE NOW APP...

Run by grown.py in a process of its own; prints JSON.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

from fill import STEP, Filling

from valetkey.protocol.changes import Save, Spend
from valetkey.protocol.model import AccessToken, AuthorizationCode
from valetkey.protocol.rules.digest import digest
from valetkey.store import open_store
from valetkey.store.base import Store

TOGETHER, TURNS = 16, 150
Work = Callable[[int], Awaitable[object]]


class Stored:
    """The operations of the store that an endpoint needs, by number."""

    def __init__(self, store: Store, filling: Filling, first_code: int) -> None:
        self.store, self.filling, self.first_code = store, filling, first_code

    async def bearer(self, number: int) -> None:
        token = self.filling.token(number * STEP % self.filling.live)
        assert await self.store.bearer_facts(digest(token)) is not None

    async def authorize(self, number: int) -> None:
        person = number * STEP % self.filling.people
        client_id = self.filling.apps[person % len(self.filling.apps)]
        facts = await self.store.authorize_facts(client_id, digest(self.filling.session(person)))
        assert facts.consent is not None

    async def exchange(self, number: int) -> None:
        key = digest(self.filling.code(self.first_code + number))
        code = (await self.store.exchange_facts(self.filling.apps[0], key)).code
        assert code is not None
        token = AccessToken(digest(f"new {self.first_code + number}"), code.authorization, self.filling.now)
        await self.store.apply((Spend(AuthorizationCode, key, self.filling.now), Save(token)))


async def timed(work: Work) -> tuple[float, float]:
    """Of one operation: us of this process's CPU, threads included, and us of the clock in the middle turn."""
    took, used = [], time.process_time()
    for turn in range(TURNS):
        begin = time.perf_counter()
        await asyncio.gather(*(work(turn * TOGETHER + n) for n in range(TOGETHER)))
        took.append(time.perf_counter() - begin)
    used = time.process_time() - used
    return used / TURNS / TOGETHER * 1e6, statistics.median(took) / TOGETHER * 1e6


async def main(database: str, live: str, ordered: str, first_code: str, now: str, *apps: str) -> None:
    store = open_store(database)
    await store.open()
    stored = Stored(
        store, Filling(int(live), ordered=ordered == "1", now=int(now), apps=list(apps)), int(first_code)
    )
    for work in (stored.bearer, stored.authorize):
        await timed(work)  # warm
    found = {name: await timed(getattr(stored, name)) for name in ("bearer", "authorize", "exchange")}
    await store.close()
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
