"""Records kept in this process by a version that every look-up sees: none is shown that is not the latest."""

import time
from collections.abc import Hashable
from typing import Generic, TypeVar

MOST = 4096  # records of one kind
SECONDS = 60  # a database that was put back to an earlier state may count a version twice


Key = TypeVar("Key", bound=Hashable)
Record = TypeVar("Record")


class Kept(Generic[Key, Record]):
    """A bounded number of records, each for a bounded time; the oldest goes first.

    A version is the record's own, or of all its kind.
    """

    def __init__(self) -> None:
        self._records: dict[Key, tuple[Record, int | None, float]] = {}

    @property
    def full(self) -> bool:
        """More are in use than can be kept, so that many will not be found."""
        return len(self._records) >= MOST

    def find(self, key: Key, version: int | None) -> Record | None:
        """The record, if it is here in this version."""
        found = self._records.get(key)
        if found is None or found[1] != version or found[2] < time.monotonic():
            return None
        return found[0]

    def keep(self, key: Key, record: Record, version: int | None) -> None:
        """Remember a record as it was just read, in this version."""
        self._records.pop(key, None)
        if len(self._records) >= MOST:
            del self._records[next(iter(self._records))]
        self._records[key] = (record, version, time.monotonic() + SECONDS)
