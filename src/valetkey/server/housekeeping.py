"""Housekeeping: what no rule can need any more is removed, by one worker at a time, a few rows after the other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from valetkey.server.authorization_server import AuthorizationServer
from valetkey.store.base import Unavailable

EVERY = 30.0  # seconds between two looks
LEASE = 60  # seconds that a worker has the work for itself, unless it asks again
PROBE = 10  # rows that any worker may remove to see whether there is work: where there is none, nothing is written
BATCH = 1000
SKEW = 60  # seconds that another host's clock may be behind ours: what is alive there stays
PAUSE = 0.05  # seconds that belong to everybody else

Sleep = Callable[[float], Awaitable[None]]
log = structlog.get_logger("valetkey.housekeeping")


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
            gone = await clean(server, holder, sleep)
            if gone:
                log.debug("cleaned", rows=gone)
        except Unavailable as error:
            log.warning("not_cleaned", why=str(error))
        except Exception:
            log.exception("not_cleaned")
        await sleep(EVERY)


async def clean(server: AuthorizationServer, holder: str, sleep: Sleep = asyncio.sleep) -> int:
    """Remove all that is dead by any host's clock, and return how many rows went; where nothing is, nothing is written.

    Whoever finds something asks for the lease before going on. Removing is safe for many at once, only not useful.
    """
    store, then = server.store, server.clock() - SKEW
    gone = await store.clean(then, PROBE)
    if not gone:
        return 0
    while await store.lease("housekeeping", holder, server.clock(), LEASE):
        went = await store.clean(then, BATCH)
        gone += went
        if not went:
            break
        await sleep(PAUSE)
    return gone
