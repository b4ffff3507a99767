"""Opening the database file: its mode, its journal, how it syncs and how long it waits."""

import contextlib
import os
import sqlite3
import threading
import time

from valetkey.store.base import Unavailable

PATIENCE = 10.0  # seconds to wait for another process's transaction

_making = threading.Lock()

_PRAGMAS = (
    "synchronous = FULL",  # an acknowledged write survives a power failure
    "cache_size = -16384",
    "temp_store = MEMORY",
    "wal_autocheckpoint = 16000",  # pages; the writer's thread asks for it earlier
    "journal_size_limit = 67108864",
)


class Held:
    """The file that is open, told from one that takes its place: what is written to one that has gone is lost."""

    def __init__(self, path: str) -> None:
        self._path, self._place = path, os.path.abspath(path)
        self._opened: tuple[int, int] | None = None

    def note(self) -> None:
        """It is open now. Raises OSError."""
        self._opened = self._there()

    def check(self) -> None:
        """Raises Unavailable unless it is still there."""
        with contextlib.suppress(OSError):
            if self._opened in (None, self._there()):
                return
        raise Unavailable(
            f"{self._path} was removed or replaced; stop the server, and restore it as docs/operating.md says"
        )

    def _there(self) -> tuple[int, int]:
        found = os.stat(self._place)
        return found.st_dev, found.st_ino


def connect(path: str, patience: float | None = None) -> sqlite3.Connection:
    """A connection in autocommit mode that any one thread at a time may use; makes the file, for its owner only."""
    _make(path)
    connection = sqlite3.connect(
        path,
        timeout=PATIENCE if patience is None else patience,
        isolation_level=None,  # no transaction but those we begin
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        _keep_a_log(connection)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _make(path: str) -> None:
    """An empty file if there is none.

    One that is there must never be opened and closed but by SQLite: closing it would drop every lock this process
    has on it, and another process could then take the log away under us.
    """
    with _making, contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Write-ahead logging; while several processes switch a new file at once, SQLite says busy without waiting."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if (
                connection.execute("PRAGMA page_count").fetchone()[0] == 0
            ):  # later it would be a write, and in vain
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise sqlite3.NotSupportedError("write-ahead logging is not possible in this place")
            return
        except sqlite3.OperationalError as error:
            busy = getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")
            if not busy or time.monotonic() > until:
                raise
            time.sleep(0.01)
