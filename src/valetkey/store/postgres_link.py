"""One connection to PostgreSQL: made when it is needed, made anew when it was lost; it never holds session state."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import asyncpg

from valetkey.store.base import Conflict, Unavailable
from valetkey.store.postgres_way import ANSWER, Reached, Way, now, unavailable
from valetkey.store.rows import Row
from valetkey.store.steps import Step

T = TypeVar("T")

# Seconds to wait for the end, and for a step that may be long: an app goes with all its tokens.
_CLOSE, _LONG = 5.0, 60.0
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


class Link:
    """Asks one thing at a time; its errors are Conflict, Unavailable, or the fault of what was asked."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._reached: Reached | None = None

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
        return count(await self._ask(lambda connection: connection.execute(statement, *values)))

    async def write(self, steps: Sequence[Step]) -> None:
        """All of the steps or none."""

        async def work(connection: Any) -> None:
            for step in steps:
                timeout = _LONG if step.long else None  # None: as the connection has it
                done = await connection.execute(step.statement, *step.values, timeout=timeout)
                if count(done) == 0 and step.must:
                    raise Conflict

        await self.together(work)

    async def together(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Do the work in one transaction, on one connection and no other."""

        async def transaction(connection: Any) -> T:
            async with connection.transaction():
                try:
                    return await work(connection)
                except TimeoutError:
                    connection.terminate()  # who is silent is not asked to roll back
                    raise

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
                    raise unavailable(error) from error
        raise AssertionError("the last turn returns or raises")

    async def close(self) -> None:
        if self._reached is not None:
            try:
                await self._reached.connection.close(timeout=_CLOSE)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                self._reached.connection.terminate()
        self._reached = None

    async def _connected(self) -> Any:
        if not self._stands():
            self._drop()
            self._reached = await self._way.connect()
        assert self._reached is not None
        return self._reached.connection

    def _stands(self) -> bool:
        """Whether there is a connection, and no other has found out that somebody else was promoted meanwhile."""
        reached = self._reached
        return reached is not None and not (
            reached.connection.is_closed() or reached.timeline < self._way.timeline
        )

    @contextmanager
    def _told_apart(self) -> Iterator[None]:
        try:
            yield
        except asyncpg.UniqueViolationError as error:
            raise Conflict from error
        except _STATES as error:
            self._drop()
            told = unavailable(error)
            if isinstance(error, TimeoutError):
                self._way.lost(now() - ANSWER, str(told))
            raise told from error
        except asyncpg.InterfaceError as error:
            if self._reached is not None and not self._reached.connection.is_closed():
                raise
            raise unavailable(error) from error

    def _drop(self) -> None:
        """What the connection was doing is unknown; it is not asked again."""
        if self._reached is not None:
            self._reached.connection.terminate()
        self._reached = None


def count(status: str) -> int:
    """The number at the end of "UPDATE 1"."""
    number = status.rpartition(" ")[2]
    return int(number) if number.isdigit() else 0
