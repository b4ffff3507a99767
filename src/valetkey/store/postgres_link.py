"""One connection to PostgreSQL: made when it is needed, made anew when it was lost; it never holds session state."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import asyncpg

from valetkey.store.address import Address
from valetkey.store.base import Conflict, Unavailable
from valetkey.store.rows import Row
from valetkey.store.steps import Step

T = TypeVar("T")

_CONNECT, _ANSWER = 5.0, 15.0  # seconds to wait for
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
    """A new connection, which waits so long for an answer. Raises Unavailable.

    Statements stay prepared on it, but behind PgBouncer, which may lend us another connection for each transaction.
    """
    held = 0 if address.pgbouncer else 256
    with or_unavailable():
        return await asyncpg.connect(
            address.place,
            timeout=_CONNECT,
            command_timeout=patience,
            statement_cache_size=held,
            max_cached_statement_lifetime=_PLANNED,
        )


@contextmanager
def or_unavailable() -> Iterator[None]:
    """Whatever the server or the way to it has against us is Unavailable."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise Unavailable(f"PostgreSQL: {error or type(error).__name__}") from error


class Link:
    """Asks one thing at a time; its errors are Conflict, Unavailable, or the fault of what was asked."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: Any = None

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        rows: list[Row] = await self._ask(lambda connection: connection.fetch(statement, *values))
        return rows

    async def look(self, statement: str, *values: Any) -> list[Row]:
        """As fetch, for statements that write nothing: a connection that was lost while idle is no reason to fail."""
        try:
            return await self.fetch(statement, *values)
        except Unavailable:
            return await self.fetch(statement, *values)

    async def execute(self, statement: str, *values: Any) -> int:
        """The number of rows written."""
        return _count(await self._ask(lambda connection: connection.execute(statement, *values)))

    async def write(self, steps: Sequence[Step]) -> None:
        """All of the steps or none."""

        async def work(connection: Any) -> None:
            for step in steps:
                if _count(await connection.execute(step.statement, *step.values)) == 0 and step.must:
                    raise Conflict

        await self.together(work)

    async def together(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Do the work in one transaction, on one connection and no other."""

        async def transaction(connection: Any) -> T:
            async with connection.transaction():
                return await work(connection)

        return await self._ask(transaction)

    async def _ask(self, question: Callable[[Any], Awaitable[T]]) -> T:
        """Ask one transaction, and again if it was in a deadlock with another."""
        for turn in range(1, _TURNS + 1):
            connection = await self._connected()
            try:
                with self._told_apart():
                    return await question(connection)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
                if turn == _TURNS:
                    raise Unavailable(f"PostgreSQL: {error}") from error
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
            self._connection = await connect(self._address)
        return self._connection

    @contextmanager
    def _told_apart(self) -> Iterator[None]:
        try:
            yield
        except asyncpg.UniqueViolationError as error:
            raise Conflict from error
        except _STATES as error:
            self._drop()
            raise Unavailable(f"PostgreSQL: {error or type(error).__name__}") from error
        except asyncpg.InterfaceError as error:
            if self._connection is not None and not self._connection.is_closed():
                raise
            raise Unavailable(f"PostgreSQL: {error}") from error

    def _drop(self) -> None:
        """What the connection was doing is unknown; it is not asked again."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None


def _count(status: str) -> int:
    """The number at the end of "UPDATE 1"."""
    number = status.rpartition(" ")[2]
    return int(number) if number.isdigit() else 0
