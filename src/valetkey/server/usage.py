"""Usage: API calls counted in this process and shared with the others about once a second (classic.md 4).

The last calls that an hour allows are counted in the store, one by one (decision 0007).
"""

import asyncio
from collections.abc import Mapping

import structlog

from valetkey.protocol.model import BearerFacts
from valetkey.server.clock import Clock
from valetkey.store.base import Store, Unavailable

HOUR = 3600
SHARE_EVERY = 1.0
MOST_KEYS = 200_000
LAST_CALLS = 100
log = structlog.get_logger("valetkey.usage")


class Usage:
    """Counts calls for each app and token over the running hour. Nothing is written while nobody calls."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.counts: dict[tuple[str, int], int] = {}
        self.fresh: dict[tuple[str, int], int] = {}
        self.used: dict[int, int] = {}
        self.timer: asyncio.TimerHandle | None = None
        self.sharing: set[asyncio.Task[None]] = set()

    async def count(self, facts: BearerFacts, limit: int) -> int:
        """Count one call with this token; returns the calls of this hour so far, this one too."""
        now = self.clock()
        key = (f"{facts.client.id}:{facts.token.digest[-12:].hex()}", now // HOUR)
        if limit - LAST_CALLS <= self.counts.get(key, 0) < limit:
            try:
                shared = await self.store.add_usage({key: 1}, {facts.token.authorization.id: now})
            except Unavailable:
                log.warning("usage_not_shared", calls=1)
            else:
                self.note(shared)
                return shared[key] + self.fresh.get(key, 0)
        so_far = self.counts[key] = self.counts.get(key, 0) + 1
        self.fresh[key] = self.fresh.get(key, 0) + 1
        self.used[facts.token.authorization.id] = now
        if self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(SHARE_EVERY, self.start_sharing)
        return so_far

    def start_sharing(self) -> None:
        """One exchange with the store; the next call starts the next timer."""
        self.timer = None
        task = asyncio.get_running_loop().create_task(self.share())
        self.sharing.add(task)
        task.add_done_callback(self.sharing.discard)

    async def share(self) -> None:
        """Hand over what is fresh, and take the counts of all workers. What cannot be handed over waits."""
        fresh, used, self.fresh, self.used = self.fresh, self.used, {}, {}
        if not fresh:
            return
        try:
            shared = await self.store.add_usage(fresh, used)
        except Unavailable:
            log.warning("usage_not_shared", calls=sum(fresh.values()))
            for key, calls in fresh.items():
                self.fresh[key] = self.fresh.get(key, 0) + calls
            self.used = used | self.used
            return
        self.note(shared)

    def note(self, shared: Mapping[tuple[str, int], int]) -> None:
        """Take the counts of all workers; forget other hours, and what is more than we can keep."""
        hour = self.clock() // HOUR
        for key, count in shared.items():
            self.counts[key] = count + self.fresh.get(key, 0)
        if len(self.counts) > MOST_KEYS or any(key[1] != hour for key in shared):
            self.counts = {key: count for key, count in self.counts.items() if key[1] == hour}
        if len(self.counts) > MOST_KEYS:
            self.counts = dict(sorted(self.counts.items(), key=by_count)[-MOST_KEYS // 2 :])

    async def close(self) -> None:
        """Hand over the rest."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        await self.share()


def by_count(item: tuple[tuple[str, int], int]) -> int:
    """Sort key: how many calls."""
    return item[1]
