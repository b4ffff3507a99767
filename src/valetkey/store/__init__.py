"""REMEMBERS: one store interface, three engines."""

from valetkey.store.address import parse
from valetkey.store.base import Conflict, Store, Unavailable

__all__ = ["Conflict", "Store", "Unavailable", "open_store"]


def open_store(url: str) -> Store:
    """The store at an address, to be opened; only the engine that is named is imported. Raises ValueError."""
    address = parse(url)
    if address.engine == "sqlite":
        from valetkey.store.sqlite import SqliteStore

        return SqliteStore(address.place)
    if address.engine == "postgresql":
        from valetkey.store.postgres import PostgresStore

        return PostgresStore(address)
    from valetkey.store.memory import MemoryStore

    return MemoryStore()
