"""One connection to PostgreSQL: made when it is needed, made anew when it was lost; it never holds session state."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import asyncpg

from valetkey.store.address import Address
from valetkey.store.base import Conflict, Unavailable
from valetkey.store.rows import Row
from valetkey.store.steps import Step

T = TypeVar("T")

# Seconds to wait for a connection, for an answer, and for each step of a list: an app may go with all its tokens.
_CONNECT, _ANSWER, _STEP = 2.0, 5.0, 15.0
_PAUSE = 0.2  # seconds for which a server that was not there is not looked for again: whoever waits is told at once
# Seconds for which a statement stays prepared. A plan made while a table was small reads it whole; the server makes
# another on its own only when it counts the rows again, which may be a busy minute later.
_PLANNED = 10
_TURNS = 4  # tries of a list that was in a deadlock with another

# The server's state and not the statement's fault: gone, going, starting, full, out of places, a standby.
_STATES = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresIOError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


async def connect(address: Address, patience: float | None = _ANSWER) -> Any:
    """A new connection to the server that can be written to, which waits so long for an answer. Raises Unavailable.

    All hosts are asked at once, so that none that is silent holds up the others; a standby is no answer.
    """
    tries = [
        asyncio.create_task(_reach(address, place, patience)) for place in (address.place, *address.others)
    ]
    chosen, why = None, []
    try:
        for each in asyncio.as_completed(tries):
            try:
                chosen = await each
                return chosen
            except Unavailable as error:
                why.append(str(error))
        raise Unavailable("; ".join(why))
    finally:
        for task in tries:
            task.cancel()
        for end in await asyncio.gather(*tries, return_exceptions=True):
            if end is not chosen and not isinstance(end, BaseException):
                end.terminate()


async def _reach(address: Address, place: str, patience: float | None) -> Any:
    """A connection to this one host, if it can be written to. Raises Unavailable.

    Statements stay prepared on it, but behind PgBouncer, which may lend us another connection for each transaction.
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
                async with connection.transaction():
                    read_only = await connection.fetchval("SHOW transaction_read_only")
        if read_only != "off":
            raise Unavailable("PostgreSQL: the server is a standby, or takes no writes")
    except BaseException:
        if connection is not None:
            connection.terminate()
        raise
    return connection


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
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(f"PostgreSQL: {str(error) or type(error).__name__}")


class Link:
    """Asks one thing at a time; its errors are Conflict, Unavailable, or the fault of what was asked."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: Any = None
        self._asks_again_at = 0.0

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        rows: list[Row] = await self._alone(lambda connection: connection.fetch(statement, *values))
        return rows

    async def look(self, statement: str, *values: Any) -> list[Row]:
        """As fetch, for statements that write nothing: a connection that was lost while idle is no reason to fail."""
        try:
            return await self.fetch(statement, *values)
        except Unavailable:
            return await self.fetch(statement, *values)

    async def execute(self, statement: str, *values: Any) -> int:
        """The number of rows written."""
        return _count(await self._alone(lambda connection: connection.execute(statement, *values)))

    async def write(self, steps: Sequence[Step]) -> None:
        """All of the steps or none."""

        async def work(connection: Any) -> None:
            for step in steps:
                done = await connection.execute(step.statement, *step.values, timeout=_STEP)
                if _count(done) == 0 and step.must:
                    raise Conflict

        await self.together(work)

    async def together(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Do the work in one transaction, on one connection and no other."""

        async def transaction(connection: Any) -> T:
            async with connection.transaction():
                return await work(connection)

        return await self._ask(transaction)

    async def _alone(self, question: Callable[[Any], Awaitable[T]]) -> T:
        """Ask with one statement. asyncpg names it and runs it in two messages, and only within a transaction does
        PgBouncer give both to the same server; another one would run what somebody else has named there."""
        return await (self.together(question) if self._address.pgbouncer else self._ask(question))

    async def _ask(self, question: Callable[[Any], Awaitable[T]]) -> T:
        """Ask one transaction, and again if it was in a deadlock with another."""
        for turn in range(1, _TURNS + 1):
            connection = await self._connected()
            try:
                with self._told_apart():
                    return await question(connection)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
                if turn == _TURNS:
                    raise _unavailable(error) from error
        raise AssertionError("the last turn returns or raises")

    async def close(self) -> None:
        if self._connection is not None:
            try:
                await self._connection.close(timeout=_CONNECT)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                self._connection.terminate()
        self._connection = None

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = None
            if self._now() < self._asks_again_at:
                raise Unavailable("PostgreSQL: was not there a moment ago")
            try:
                self._connection = await connect(self._address)
            except Unavailable:
                self._asks_again_at = self._now() + _PAUSE
                raise
        return self._connection

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    @contextmanager
    def _told_apart(self) -> Iterator[None]:
        try:
            yield
        except asyncpg.UniqueViolationError as error:
            raise Conflict from error
        except _STATES as error:
            self._drop()
            if isinstance(error, TimeoutError):
                self._asks_again_at = self._now() + _PAUSE
            raise _unavailable(error) from error
        except asyncpg.InterfaceError as error:
            if self._connection is not None and not self._connection.is_closed():
                raise
            raise _unavailable(error) from error

    def _drop(self) -> None:
        """What the connection was doing is unknown; it is not asked again."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None


def _count(status: str) -> int:
    """The number at the end of "UPDATE 1"."""
    number = status.rpartition(" ")[2]
    return int(number) if number.isdigit() else 0
