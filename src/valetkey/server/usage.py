"""Usage: API calls counted in this process and shared with the others about once a second (classic.md 4).

The last calls that an hour allows are counted in the store, one by one; what a token has too few calls of to matter
stays here, so that a million tokens that call now and then cost a million look-ups and nothing else (decision 0007).
"""

import asyncio
from collections.abc import Awaitable, Mapping

import structlog

from valetkey.protocol.facts import BearerFacts
from valetkey.server.clock import Clock
from valetkey.store.base import Store, Unavailable

HOUR = 3600
SHARE_EVERY = 1.0
MOST_KEYS = 200_000
LAST_CALLS = 100
FEW = 8  # calls of a token in an hour of which the other workers need not know
USED_EVERY = 24 * HOUR  # how far from the truth a time of last use may be: people are shown a day
log = structlog.get_logger("valetkey.usage")
Key = tuple[str, int]


class Usage:
    """Counts calls for each app and token over the running hour. Nothing is written while nobody calls."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.counts: dict[Key, int] = {}
        self.few: dict[Key, int] = {}
        self.fresh: dict[Key, int] = {}
        self.used: dict[int, int] = {}
        self.hour = 0
        self.timer: asyncio.TimerHandle | None = None
        self.sharing: set[asyncio.Task[None]] = set()

    def count(self, facts: BearerFacts, limit: int) -> int | Awaitable[int]:
        """Count one call with this token; returns the calls of this hour so far, this one too: at once, unless so few
        are left that the store has to say."""
        now = self.clock()
        hour = now // HOUR
        if hour != self.hour or len(self.counts) > MOST_KEYS:
            self.forget(hour)
        key = (f"{facts.client.id}:{facts.token.digest[-12:].hex()}", hour)
        if facts.used_at is None or now - facts.used_at >= USED_EVERY:
            self.used[facts.token.authorization.id] = now
            self.arm()
        if limit - LAST_CALLS <= self.counts.get(key, 0) < limit:
            return self.count_exactly(key)
        return self.count_here(key)

    async def count_exactly(self, key: Key) -> int:
        """Count one call in the store; here, while it is away."""
        told = 1 + self.few.pop(key, 0)
        try:
            shared = await self.store.add_usage({key: told}, {})
        except Unavailable:
            log.warning("usage_not_shared", calls=told)
            self.few[key] = self.few.get(key, 0) + told - 1
            return self.count_here(key)
        self.note(shared)
        return shared[key] + self.fresh.get(key, 0)

    def count_here(self, key: Key) -> int:
        """Count one call in this process, which the others are told of later."""
        so_far = self.counts[key] = self.counts.get(key, 0) + 1
        if so_far < FEW:
            self.few[key] = self.few.get(key, 0) + 1
        else:
            self.fresh[key] = self.fresh.get(key, 0) + self.few.pop(key, 0) + 1
            if self.timer is None:
                self.arm()
        return so_far

    def arm(self) -> None:
        """There is something to share."""
        if self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(SHARE_EVERY, self.start_sharing)

    def start_sharing(self) -> None:
        """One exchange with the store; the next call starts the next timer."""
        self.timer = None
        task = asyncio.get_running_loop().create_task(self.share())
        self.sharing.add(task)
        task.add_done_callback(self.sharing.discard)

    async def share(self) -> None:
        """Hand over what is fresh, and take the counts of all workers. What cannot be handed over waits."""
        fresh, used, self.fresh, self.used = self.fresh, self.used, {}, {}
        if not fresh and not used:
            return
        try:
            shared = await self.store.add_usage(fresh, used)
        except Unavailable:
            log.warning("usage_not_shared", calls=sum(fresh.values()))
            for key, calls in fresh.items():
                self.fresh[key] = self.fresh.get(key, 0) + calls
            if len(self.used) + len(used) <= MOST_KEYS:  # else each is noted anew by its next call
                self.used = used | self.used
            return
        self.note(shared)

    def note(self, shared: Mapping[Key, int]) -> None:
        """Take the counts of all workers."""
        for key, count in shared.items():
            self.counts[key] = count + self.fresh.get(key, 0)

    def forget(self, hour: int) -> None:
        """What counted for another hour, or is more than we can keep: where there were few calls they begin anew,
        other counts come back when the next call is shared."""
        same, self.hour, self.few = hour == self.hour, hour, {}
        self.fresh = {key: calls for key, calls in self.fresh.items() if key[1] >= hour - 1}
        self.counts = {key: count for key, count in self.counts.items() if count >= FEW} if same else {}
        if len(self.counts) > MOST_KEYS // 2:
            self.counts = {}

    async def close(self) -> None:
        """Hand over the rest."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        await self.share()
