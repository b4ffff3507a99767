"""Housekeeping: what no rule can need any more is removed, by one worker at a time; keys are followed in time."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from statistics import median

import structlog

from valetkey.server.authorization_server import AuthorizationServer
from valetkey.store.base import Unavailable

EVERY = 30.0  # seconds between two looks
LEASE = 60  # seconds that a worker has the work for itself, unless it asks again
SKEW = 60  # seconds that another host's clock may be behind ours: what is alive there stays
PROBE = 10  # rows that any worker may remove to see whether there is work: where there is none, nothing is written
FEWEST, MOST = 10, 2000  # rows in a batch
PROBE_EVERY = 8  # batches, of which one is the smallest: what it takes is what any write takes just now,
PROBES = 5  # or rather what the last ones took in the middle
SHARE, MOST_LONGER = (
    3,
    0.004,
)  # any may take a third longer than the smallest, and at most so many seconds longer
REST = 3  # times as long as the batch took, for everybody else
LONGEST = 0.05  # seconds of rest: also where all are busy, millions of rows must go some day

Sleep = Callable[[float], Awaitable[None]]
Work = Callable[[int], Awaitable[int]]
log = structlog.get_logger("valetkey.housekeeping")


class Pace:
    """Batches that take little longer than the smallest, and a rest behind each.

    A batch waits for its turn and for the disk as requests do. Whatever a write takes just now, by an idle server or
    a busy one, on a slow disk or a fast one: rows add a part of it, and a request that comes waits for hardly longer
    than for another's.
    """

    def __init__(self, sleep: Sleep = asyncio.sleep, timer: Callable[[], float] = time.monotonic) -> None:
        self.sleep, self.timer = sleep, timer
        self.rows, self.batches = FEWEST, 0
        self.smallest: deque[float] = deque(maxlen=PROBES)  # seconds that the last smallest batches took

    async def step(self, work: Work) -> int:
        """One batch and the rest behind it; returns what the work does."""
        smallest = self.batches < PROBES or self.batches % PROBE_EVERY == 0
        began = self.timer()
        done = await work(FEWEST if smallest else self.rows)
        took = self.timer() - began
        if smallest:
            self.smallest.append(took)
        elif took > (least := median(self.smallest)) + min(least / SHARE, MOST_LONGER):
            self.rows = max(FEWEST, self.rows - self.rows // 8)
        else:  # twice as much, or where times vary more than rows make them it would never do more than the least
            self.rows = min(MOST, self.rows + self.rows // 4)
        self.batches += 1
        if done:
            await self.sleep(min(REST * took, LONGEST))
        return done


@asynccontextmanager
async def running(server: AuthorizationServer, sleep: Sleep = asyncio.sleep) -> AsyncIterator[None]:
    """Keep house for as long as this context is open."""
    task = asyncio.create_task(run(server, sleep), name="valetkey-housekeeping")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def run(server: AuthorizationServer, sleep: Sleep = asyncio.sleep) -> None:
    """Look every half a minute, for ever. Workers that start together do not look together."""
    holder = server.mint.reference()
    await sleep(EVERY * server.mint.entropy(1)[0] / 256)
    while True:
        try:
            await server.keys.tend(holder)
            gone = await clean(server, holder, Pace(sleep))
            if gone:
                log.debug("cleaned", rows=gone)
        except Unavailable as error:
            log.warning("not_cleaned", why=str(error))
        except Exception:
            log.exception("not_cleaned")
        await sleep(EVERY)


async def clean(server: AuthorizationServer, holder: str, pace: Pace | None = None) -> int:
    """Remove all that is dead by any host's clock, and return how many rows went; where nothing is, nothing is written.

    Whoever finds something asks for the lease before going on. Removing is safe for many at once, only not useful.
    A clock that is set back in between is followed: what is fresh by it stays.
    """
    store, now, pace = server.store, server.clock() - SKEW, pace or Pace()
    gone = await store.clean(now, PROBE)
    if gone:
        gone += await alone(
            server, holder, pace, lambda rows: store.clean(min(now, server.clock() - SKEW), rows)
        )
    if await store.shrink(1):
        await alone(server, holder, pace, store.shrink)
    return gone


async def alone(server: AuthorizationServer, holder: str, pace: Pace, work: Work) -> int:
    """Work in batches until nothing is left or somebody else has the lease; returns how much was done."""
    total, asked, ours = 0, float("-inf"), False
    try:
        while True:
            now = server.clock()
            if abs(now - asked) > LEASE // 3:
                ours = await server.store.lease("housekeeping", holder, now, LEASE)
                if not ours:
                    return total
                asked = now
            done = await pace.step(work)
            if not done:
                break
            total += done
    finally:
        if ours:  # who stops lets others go on
            await server.store.lease("housekeeping", holder, server.clock(), 0)
    return total
