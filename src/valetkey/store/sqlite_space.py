"""Space of the file that nothing uses any more: given back in small steps, or all of it while nobody else writes."""

import sqlite3
from collections.abc import Sequence

from valetkey.store import sqlite_file
from valetkey.store.base import Unavailable

SPARE = (
    "SELECT auto_vacuum, page_count, freelist_count "
    "FROM pragma_auto_vacuum, pragma_page_count, pragma_freelist_count"
)
_INCREMENTAL = 2
_FEW = 1024  # pages that are no matter


def is_much(spare: Sequence[int], begun: bool) -> bool:
    """Whether to give space back: from a quarter of the file on, then down to an eighth, which new rows will take."""
    mode, pages, free = spare
    return mode == _INCREMENTAL and free > max(_FEW, pages // (8 if begun else 4))


def give_back(limit: int, connection: sqlite3.Connection) -> int:
    """Move up to `limit` pages from the file's end into free ones; the file ends earlier after the next checkpoint."""
    for _ in range(limit):
        connection.execute(
            "PRAGMA incremental_vacuum(1)"
        )  # Python takes one step of a statement without columns
    return limit


def compact(path: str) -> tuple[int, int]:
    """Write the whole file anew, and how long it was and is. Whoever writes meanwhile waits, ten seconds at most."""
    try:
        connection = sqlite_file.connect(path)
        try:
            before = _length(connection)
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # files of old have none
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return before, _length(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise Unavailable(f"{path}: {error}") from error


def _length(connection: sqlite3.Connection) -> int:
    pages, size = connection.execute(
        "SELECT page_count, page_size FROM pragma_page_count, pragma_page_size"
    ).fetchone()
    return int(pages) * int(size)
