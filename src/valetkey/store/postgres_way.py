"""The way to PostgreSQL: which of its hosts is the primary now, and what the connections of one store know of that."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import asyncpg

from valetkey.store.address import Address
from valetkey.store.base import Unavailable

_CONNECT, ANSWER = 3.0, 5.0  # seconds to wait for a connection, and for an answer on it
_LATE = 1.0  # seconds in which another host may say that it is the primary, too: the old one, that came back
_PAUSE = 0.2  # seconds for which a server that was not there is not looked for again: whoever waits is told at once
# Seconds for which a statement stays prepared. A plan made while a table was small reads it whole; the server makes
# another on its own only when it counts the rows again, which may be a busy minute later.
_PLANNED = 10
_REPLACED = "PostgreSQL: the server was the primary before another was promoted"
_TIMELINE = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"  # each promotion begins the next one


class Reached(NamedTuple):
    """A connection to a server that takes writes. Of two such servers the one on the later timeline was promoted."""

    timeline: str
    connection: Any


class Way:
    """What one connection found out, the others need not: who was promoted, and that nobody is there just now."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.timeline = ""
        self._why = ""  # it was not there a moment ago
        self._found_at = self._asks_again_at = 0.0

    async def connect(self) -> Reached:
        """A new connection to the primary, and to none that was primary before it. Raises Unavailable."""
        began = now()
        if began < self._asks_again_at:
            raise Unavailable(self._why)
        try:
            reached = await reach(self.address, ANSWER, self.timeline)
        except Unavailable as error:
            self.lost(began, str(error))
            raise
        if reached.timeline < self.timeline:  # another connection has found who was promoted since
            reached.connection.terminate()
            raise Unavailable(_REPLACED)
        self.timeline, self._found_at = reached.timeline, now()
        return reached

    def lost(self, since: float, why: str) -> None:
        """The server did not answer since then; that says nothing when another connection has found it meanwhile."""
        if self._found_at <= since:
            self._why, self._asks_again_at = why, now() + _PAUSE


def now() -> float:
    """Seconds that only grow."""
    return asyncio.get_running_loop().time()


async def connect(address: Address, patience: float | None = ANSWER) -> Any:
    """A new connection to the primary, which waits so long for an answer. Raises Unavailable."""
    return (await reach(address, patience, "")).connection


async def reach(address: Address, patience: float | None, since: str) -> Reached:
    """Ask all hosts at once, so that none that is silent holds up the others. Raises Unavailable."""
    places = (address.place, *address.others)
    tries = [asyncio.create_task(_ask(address, place, patience, since)) for place in places]
    chosen = None
    try:
        waiting = set(tries)
        while waiting and not any(map(_reached, tries)):
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if waiting:
            await asyncio.wait(waiting, timeout=_LATE)
        found = [task.result() for task in tries if _reached(task)]
        if not found:
            raise Unavailable("; ".join(str(task.exception()) for task in tries))
        chosen = max(found, key=lambda one: one.timeline)
        return chosen
    finally:
        for task in tries:
            task.cancel()
        for end in await asyncio.gather(*tries, return_exceptions=True):
            if isinstance(end, Reached) and end is not chosen:
                end.connection.terminate()


def _reached(task: asyncio.Task[Reached]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _ask(address: Address, place: str, patience: float | None, since: str) -> Reached:
    """A connection to this one host, if it is the primary. Raises Unavailable.

    Statements stay prepared on it, but behind PgBouncer, which may lend us another connection for each transaction:
    there asyncpg sends a statement with its values, up to the one Sync that ends the transaction.
    """
    connection = None
    try:
        with or_unavailable():
            async with asyncio.timeout(_CONNECT):
                connection = await asyncpg.connect(
                    place,
                    timeout=_CONNECT,
                    command_timeout=patience,
                    statement_cache_size=0 if address.pgbouncer else 256,
                    max_cached_statement_lifetime=_PLANNED,
                )
                if await connection.fetchval("SHOW transaction_read_only") != "off":
                    raise Unavailable("PostgreSQL: the server is a standby, or takes no writes")
                timeline = await connection.fetchval(_TIMELINE) if address.others else ""
        if timeline < since:
            raise Unavailable(_REPLACED)
        return Reached(timeline, connection)
    except BaseException:
        if connection is not None:
            connection.terminate()
        raise


@contextmanager
def or_unavailable() -> Iterator[None]:
    """Whatever the server or the way to it has against us is Unavailable."""
    try:
        yield
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        OSError,
        TimeoutError,
    ) as error:
        raise unavailable(error) from error


def unavailable(error: Exception) -> Unavailable:
    """The error in the store's own word."""
    return Unavailable(f"PostgreSQL: {str(error) or type(error).__name__}")
