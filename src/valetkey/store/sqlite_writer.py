"""One thread writes for all: what is asked for in a turn of the loop is one transaction with one fsync.

A job is a function of the connection that writes all it must or raises. While a transaction is under way the next
list gathers; a lone job waits for nobody. Futures get their answers after COMMIT. What the log has gathered is moved
into the file by another thread, so that commits do not stop for it.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

from valetkey.store import sqlite_file
from valetkey.store.base import Conflict, Unavailable
from valetkey.store.gathering import Gathering

Job = Callable[[sqlite3.Connection], Any]
Entry = tuple[asyncio.Future[Any], Job]

_MOST = 512  # jobs in one transaction
_ASK_AGAIN = 0.0003  # seconds, while another process writes
_GATHERED = 1600  # rows written from one checkpoint to the next
_FEW = 4  # jobs in one transaction
_SAME_AGAIN = "UPDATE schema_version SET version = version"  # reaches the disk and changes nothing


class _Undo(Exception):
    """A job failed after it had written: the transaction must be done again with a savepoint around each job."""


class Writer:
    """The thread, and the loop's end of it.

    `connect` opens the one connection that writes; `checkpoint` is told, in the thread, when one is due; `check` raises
    when what would be written is lost.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        checkpoint: Callable[[], object],
        check: Callable[[], None],
    ) -> None:
        self._connect, self._checkpoint, self._check = connect, checkpoint, check
        self._lists: queue.SimpleQueue[list[Entry]] = queue.SimpleQueue()
        self._waiting: list[Entry] = []
        self._gathering = Gathering(self._hand_over, lambda: len(self._waiting))
        self._busy = self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._connection: sqlite3.Connection | None = None
        self._thread: threading.Thread | None = None
        self._moved = 0
        self._failed = False  # the last transaction that wrote
        self.calm = True  # few had something to write in the last turn

    def start(self) -> None:
        """Connect and start the thread; the running loop is the one that is answered."""
        self._loop = asyncio.get_running_loop()
        self._connection = self._open()
        self._thread = threading.Thread(target=self._run, name="valetkey-sqlite-writer", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Refuse new jobs, finish those handed in, end the thread."""
        self._closed = True
        await self._idle.wait()
        if self._thread is not None:
            self._lists.put([])
            await asyncio.to_thread(self._thread.join)
        if self._connection is not None:
            self._connection.close()

    def write(self, job: Job) -> asyncio.Future[Any]:
        """Run the job in the next transaction; the future is its value, when that is on disk."""
        if self._closed or self._thread is None:
            raise Unavailable("the store is not open")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((future, job))
        self._arm()
        return future

    async def able(self) -> bool:
        """Whether writing works. It is tried only after a failure: an idle store writes nothing."""
        if self._failed:
            try:
                await self.write(lambda connection: connection.execute(_SAME_AGAIN))
            except Unavailable:
                return False
        return True

    # On the loop.

    def _arm(self) -> None:
        if self._waiting and not self._busy:
            self._idle.clear()
            self._gathering.arm()

    def _hand_over(self) -> None:
        entries, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        self._busy, self.calm = True, len(entries) <= _FEW
        self._gathering.took(len(entries))
        self._lists.put(entries)

    def _answer(self, answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
        self._busy = False
        for future, value in answers:
            if future.done():  # whoever asked has gone
                continue
            if isinstance(value, Exception):
                future.set_exception(value)
            else:
                future.set_result(value)
        self._arm()
        if not self._gathering.armed:
            self._idle.set()

    def _open(self) -> sqlite3.Connection:
        connection = self._connect()
        connection.execute("PRAGMA busy_timeout = 0")  # _begin waits in its own way
        return connection

    # In the thread.

    def _run(self) -> None:
        while entries := self._lists.get():
            values = self._transact([job for _, job in entries])
            answers = [(future, value) for (future, _), value in zip(entries, values, strict=True)]
            try:
                self._loop.call_soon_threadsafe(self._answer, answers)
            except RuntimeError:  # the loop was closed over our head
                return
            self._ask_for_checkpoint()

    def _ask_for_checkpoint(self) -> None:
        written = self._connection.total_changes if self._connection is not None else 0
        if not 0 <= written - self._moved < _GATHERED:
            self._moved = written
            with contextlib.suppress(RuntimeError):  # no thread is to be had just now
                self._checkpoint()

    def _transact(self, jobs: list[Job]) -> list[Any]:
        """Every job's value or exception, after the COMMIT that made them true."""
        try:
            self._check()
            if self._connection is None:
                self._connection = self._open()
            written = self._connection.total_changes
            values = self._commit(self._connection, jobs)
            if self._failed:
                self._failed = self._connection.total_changes == written
            return values
        except Exception as error:  # whatever it is, this thread lives on
            self._failed = True
            self._roll_back(getattr(error, "sqlite_errorname", "").startswith(_UNTRUSTED))
            return [Unavailable(str(error)) for _ in jobs]

    def _commit(self, connection: sqlite3.Connection, jobs: list[Job]) -> list[Any]:
        _begin(connection)
        try:
            values = [_plain(connection, job) for job in jobs]
        except _Undo:
            connection.execute("ROLLBACK")
            _begin(connection)
            values = [_guarded(connection, job) for job in jobs]
        connection.execute("COMMIT")
        return values

    def _roll_back(self, untrusted: bool) -> None:
        """A connection that met an I/O error, or cannot even roll back, is done for; the next list has a new one."""
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            untrusted = True
        if untrusted:
            self._connection = None
            with contextlib.suppress(sqlite3.Error):
                connection.close()


def _begin(connection: sqlite3.Connection) -> None:
    """Take the one write lock of the file, asking often: SQLite's own waiting grows longer and starves a process."""
    until = time.monotonic() + sqlite_file.PATIENCE
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            busy = getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")
            if not busy or time.monotonic() > until:
                raise
        time.sleep(_ASK_AGAIN)


def _plain(connection: sqlite3.Connection, job: Job) -> Any:
    """The quick way: no savepoint, because a loser has written nothing when it loses."""
    before = connection.total_changes
    try:
        return job(connection)
    except Exception as error:
        verdict = _verdict(connection, error)
        if connection.total_changes != before:
            raise _Undo from error
        return verdict


def _guarded(connection: sqlite3.Connection, job: Job) -> Any:
    """The careful way: whatever the job does is undone if it fails; its neighbours do not notice."""
    connection.execute("SAVEPOINT job")
    try:
        value = job(connection)
    except Exception as error:
        value = _verdict(connection, error)
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")
    return value


def _verdict(connection: sqlite3.Connection, error: Exception) -> Exception:
    """What the one who asked is told; raises what concerns all: no disk, no lock, damage."""
    name = getattr(error, "sqlite_errorname", "")
    if not connection.in_transaction or name.startswith(_STATES):
        raise error
    return Conflict() if name in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY") else error


_STATES = (
    "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN",
    "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_NOMEM", "SQLITE_PERM", "SQLITE_PROTOCOL",
)  # fmt: skip
_UNTRUSTED = ("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_PROTOCOL")
