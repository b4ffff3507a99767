"""The store in one SQLite file: look-ups straight on the loop, writes through one thread, listings in another."""

import asyncio
import contextlib
import json
import re
import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from typing import Any

from valetkey.protocol.changes import Changes
from valetkey.store import cleaning, counters, migrate, sqlite_file, sqlite_space
from valetkey.store.base import Conflict, Unavailable
from valetkey.store.gathering import turn
from valetkey.store.lookups import Lookups
from valetkey.store.rows import Row
from valetkey.store.sql import Point
from valetkey.store.sqlite_writer import Writer
from valetkey.store.steps import check, steps_of

_USED_AT_ONCE = 500
_SWEPT = 32  # rows; what they leave in the log is moved into the file in half a millisecond of one core
_CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"


class Asked:
    """A look-up that waits, and what came of it."""

    __slots__ = ("failed", "keys", "row", "statement")

    def __init__(self, statement: str, keys: tuple[Any, ...]) -> None:
        self.statement, self.keys = statement, keys
        self.row: Row | None = None
        self.failed: str | None = (
            "nobody looked"  # until somebody has: a failure is never taken for "not there"
        )


class SqliteStore(Lookups):
    """One process's view of the file; several processes may share it."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._closed = self._shrinking = False
        self._asked: list[Asked] = []
        self._swept = 0  # rows removed since the last checkpoint
        self._round = 0, list(cleaning.DEAD)  # a time, and the kinds of which something is dead by it
        self._beside = ThreadPoolExecutor(1, "valetkey-sqlite-beside")
        self._beside_connection: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._moving: Future[list[Row]] | None = None
        self._file = sqlite_file.Held(path)
        self._writer = Writer(lambda: sqlite_file.connect(path), self._move, self._file.check)

    async def open(self) -> None:
        try:
            await asyncio.to_thread(migrate.migrate_sqlite, self._path)
            self._reader = sqlite_file.connect(self._path, patience=1)  # the loop waits with it
            self._writer.start()
            self._file.note()
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(f"{self._path}: {error}") from error

    async def close(self) -> None:
        self._closed = True
        await self._writer.close()
        await asyncio.to_thread(self._beside.shutdown)
        for connection in (self._beside_connection, self._reader):
            if connection is not None:
                connection.close()

    async def ready(self) -> bool:
        try:
            self._file.check()
            return self._read("SELECT 1 FROM schema_version") is not None and await self._writer.able()
        except Unavailable:
            return False

    async def _one(self, point: Point, *keys: Any) -> Row | None:
        if point.at_once:
            return self._read(point.single, keys)
        asked = Asked(point.single, keys)
        self._asked.append(asked)
        await turn()
        if self._asked:  # the first to go on looks up for all
            self._look()
        if asked.failed is not None:
            raise Unavailable(asked.failed)
        return asked.row

    def _look(self) -> None:
        """One after another, for to come to a look-up from elsewhere costs as much as the look-up."""
        waiting, self._asked = self._asked, []
        for asked in waiting:
            try:
                asked.row, asked.failed = self._read(asked.statement, asked.keys), None
            except Unavailable as error:
                asked.failed = str(error)

    def _read(self, statement: str, keys: tuple[Any, ...] = ()) -> Row | None:
        """What is looked up in one turn of the loop is read from one state of the file, for to begin is a good part of
        a look-up. A write is acknowledged in a later turn, which begins anew."""
        if self._reader is None or self._closed:
            raise Unavailable("the store is not open")
        try:
            if not self._reader.in_transaction:
                self._reader.execute("BEGIN")
                asyncio.get_running_loop().call_soon(self._let_go)
            row: Row | None = self._reader.execute(statement, keys).fetchone()
        except sqlite3.Error as error:
            self._let_go()
            raise Unavailable(str(error)) from error
        return row

    def _let_go(self) -> None:
        """The turn is over, or a look-up has failed: then nobody looks at what was read before it."""
        if self._reader is not None and not self._closed and self._reader.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._reader.execute("ROLLBACK")

    async def _all(self, statement: str, *values: Any) -> list[Row]:
        if self._closed:
            raise Unavailable("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._beside, self._list, statement, values)

    def _list(self, statement: str, values: tuple[Any, ...]) -> list[Row]:
        try:
            if self._beside_connection is None:
                self._beside_connection = sqlite_file.connect(self._path)
            return ask(self._beside_connection, statement, *values).fetchall()
        except sqlite3.Error as error:
            raise Unavailable(str(error)) from error

    def _move(self) -> None:
        """Have what the log has gathered moved into the file; where the disk is slow, one such move is enough."""
        if self._moving is None or self._moving.done():
            self._moving = self._beside.submit(self._list, _CHECKPOINT, ())

    def _move_early(self, swept: int) -> None:
        """Where few write, what housekeeping leaves in the log goes at once; fewer and larger moves are cheaper."""
        self._swept += swept
        if self._swept >= _SWEPT and self._writer.calm:
            self._swept = 0
            self._move()

    async def apply(self, changes: Changes) -> None:
        steps = steps_of(changes)
        if not steps:
            return

        def job(connection: sqlite3.Connection) -> None:
            for step in steps:
                found = ask(connection, step.statement, *step.values)
                if step.must and (found.rowcount == 0 or (found.rowcount < 0 and found.fetchone() is None)):
                    raise Conflict  # -1: a SELECT

        await self._writer.write(job)

    async def attempt(self, keys: Sequence[str], now: int, window: int) -> list[int]:
        check(keys)

        def job(connection: sqlite3.Connection) -> dict[str, int]:
            return {
                key: ask(connection, counters.ATTEMPT, key, now, now + window).fetchone()[0]
                for key in dict.fromkeys(keys)
            }

        counts = await self._writer.write(job)
        return [counts[key] for key in keys]

    async def forget_attempts(self, keys: Sequence[str]) -> None:
        check(keys)
        await self._writer.write(lambda connection: [ask(connection, counters.FORGET, key) for key in keys])

    async def add_usage(
        self, calls: dict[tuple[str, int], int], used: dict[int, int]
    ) -> dict[tuple[str, int], int]:
        check(key for key, _ in calls)
        times = [(at, key) for key, at in used.items()]
        for first in range(0, len(times), _USED_AT_ONCE):
            some = times[first : first + _USED_AT_ONCE]
            await self._writer.write(partial(_note_use, some))
        if not calls:
            return {}

        def job(connection: sqlite3.Connection) -> dict[tuple[str, int], int]:
            return {
                slot: ask(connection, counters.CALLS, *slot, n).fetchone()[0] for slot, n in calls.items()
            }

        shared: dict[tuple[str, int], int] = await self._writer.write(job)
        return shared

    async def lease(self, name: str, holder: str, now: int, seconds: int) -> bool:
        row = (name, holder, now, now + seconds)
        check(row)
        taken: int = await self._writer.write(
            lambda connection: ask(connection, counters.LEASE, *row).rowcount
        )
        return taken == 1

    async def clean(self, now: int, limit: int) -> int:
        if self._round[0] != now:
            self._round = now, list(cleaning.DEAD)
        gone: int = await self._writer.write(partial(_sweep, self._round[1], now, limit))
        if not gone:
            self._round = now, list(cleaning.DEAD)
        self._move_early(gone)
        return gone

    async def empty(self, client_id: str, limit: int) -> int:
        gone: int = await self._writer.write(partial(_empty, client_id, max(1, limit // 4)))
        self._move_early(gone)
        return gone

    async def shrink(self, limit: int) -> int:
        spare, begun = self._read(sqlite_space.SPARE), self._shrinking
        self._shrinking = spare is not None and sqlite_space.is_much(spare, begun)
        if not self._shrinking:
            if begun:
                await self._all(_CHECKPOINT)  # which is what makes the file shorter
            return 0
        back: int = await self._writer.write(partial(sqlite_space.give_back, limit))
        self._move_early(back)
        return back


def _note_use(times: list[tuple[int, int]], connection: sqlite3.Connection) -> None:
    for at, key in times:
        ask(connection, counters.USED, at, key)


def _sweep(left: list[cleaning.Dead], now: int, limit: int, connection: sqlite3.Connection) -> int:
    """Remove up to `limit` dead rows of the kinds that are left in this round; one that has none leaves it."""
    gone = 0
    for dead in list(left):
        # half of what is left where each may take its authorization with it
        most = (limit - gone) // 2 if dead.rooted else limit - gone
        if not most:
            break
        went = _remove(dead, most, now, connection)
        gone += went
        if not went:
            left.remove(dead)
    return gone


def _remove(dead: cleaning.Dead, most: int, now: int, connection: sqlite3.Connection) -> int:
    for statement in dead.first:
        ask(connection, statement, most, now)
    found = ask(connection, _removal(dead), most, now)
    if not dead.told:
        return found.rowcount
    told = [row[0] for row in found]
    if not told:
        return 0
    those = json.dumps([each for each in told if each is not None])
    if dead.rooted:
        return len(told) + ask(connection, cleaning.BARE_SQLITE, those).rowcount
    ask(connection, cleaning.OWN_SQLITE, those)
    ask(connection, dead.after)
    return len(told)


def _empty(client_id: str, most: int, connection: sqlite3.Connection) -> int:
    """Remove up to so many of each kind of what an app was allowed."""
    roots = [row[0] for row in ask(connection, cleaning.OF_APP, client_id, most)]
    if not roots:
        return 0
    those, emptying = json.dumps(roots), cleaning.EMPTYING_SQLITE
    gone = [ask(connection, statement, those, most).rowcount for statement in emptying.hanging]
    if max(gone) < most:  # nothing hangs on them any more
        gone.append(ask(connection, emptying.roots, those).rowcount)
    return sum(gone)


def ask(connection: sqlite3.Connection, statement: str, *values: Any) -> sqlite3.Cursor:
    """Execute a statement with $1, $2 ... for its values, as both databases share them."""
    text, order = _nameless(statement)
    return connection.execute(text, values if order is None else [values[number] for number in order])


@cache
def _nameless(statement: str) -> tuple[str, list[int] | None]:
    """The statement with a mark for each use of a value, and whose turn each is unless it is one after another.

    Numbered marks would do, but Python 3.12 takes them for names and warns at every use.
    """
    statement = re.sub(r" FOR (KEY )?SHARE", "", statement)  # nobody else writes meanwhile
    order = [int(number) - 1 for number in re.findall(r"\$(\d+)", statement)]
    return re.sub(r"\$\d+", "?", statement), None if order == list(range(len(order))) else order


@cache
def _removal(dead: cleaning.Dead) -> str:
    return dead.single()
