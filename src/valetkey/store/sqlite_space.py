"""Space of the SQLite file that nothing uses any more, given back in small steps."""

import sqlite3
from collections.abc import Sequence

SPARE = (
    "SELECT auto_vacuum, page_count, freelist_count "
    "FROM pragma_auto_vacuum, pragma_page_count, pragma_freelist_count"
)
_INCREMENTAL = 2
_FEW = 256  # pages that are no matter


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
