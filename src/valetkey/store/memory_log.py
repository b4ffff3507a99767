"""What a list of changes did to the memory store's dicts, step by step, so that it can be undone."""

from collections.abc import Callable
from typing import Any

from valetkey.store.base import Conflict

Table = dict[Any, Any]


def check_version(table: Table, key: Any, version: int) -> None:
    """Raises Conflict unless the record is at this version; one that is not there is at 0."""
    found = table.get(key)
    if (found.version if found else 0) != version:
        raise Conflict


class Log:
    """Every write goes through here and is noted: the table, the key, and what stood there before."""

    def __init__(self) -> None:
        self.steps: list[tuple[Table, Any, Any]] = []

    def clear(self) -> None:
        """A new list of changes begins."""
        self.steps.clear()

    def put(self, table: Table, key: Any, value: Any) -> None:
        """Write a row, whether or not one is there."""
        self.steps.append((table, key, table.get(key)))
        table[key] = value

    def put_new(self, table: Table, key: Any, value: Any) -> None:
        """Write a row that must be new. Raises Conflict."""
        if key in table:
            raise Conflict
        self.put(table, key, value)

    def drop(self, table: Table, dead: Callable[[Any, Any], bool]) -> None:
        """Remove the rows that are dead: (key, row) -> whether."""
        for key, value in list(table.items()):
            if dead(key, value):
                self.steps.append((table, key, value))
                del table[key]

    def undo(self) -> None:
        """Everything as it was."""
        for table, key, old in reversed(self.steps):
            if old is None:
                del table[key]
            else:
                table[key] = old

    def keep(self, limit: int) -> int:
        """Undo all removals but the first `limit`; returns how many stand."""
        for table, key, old in self.steps[limit:]:
            table[key] = old
        return min(len(self.steps), limit)
