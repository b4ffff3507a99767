"""Makes a database as small as what lives in it, at once: SQLite writes its file anew, PostgreSQL its indexes."""

import asyncio
import os
import sqlite3

from valetkey.store import sqlite_file
from valetkey.store.address import Address, parse
from valetkey.store.base import Unavailable

_TABLES = "SELECT quote_ident(relname) FROM pg_stat_user_tables WHERE schemaname = current_schema() ORDER BY relname"


async def compact(url: str) -> tuple[int, int]:
    """Its bytes before and after. Raises Unavailable."""
    address = parse(url)
    if address.engine == "sqlite":
        return await asyncio.to_thread(_compact_sqlite, address.place)
    if address.engine == "postgresql":
        return await _compact_postgres(address)
    return 0, 0


def _compact_sqlite(path: str) -> tuple[int, int]:
    """Nobody can write meanwhile: a server beside it waits for ten seconds and then says that it is unavailable."""
    if not os.path.exists(path):
        raise Unavailable(f"{path}: is not there")
    try:
        connection = sqlite_file.connect(path)
        try:
            before = _length(connection)
            connection.execute("PRAGMA temp_store = FILE")  # the copy may be larger than the memory
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # files of old have none
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return before, _length(connection)
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"{path}: {error}") from error


def _length(connection: sqlite3.Connection) -> int:
    size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    return int(connection.execute(size).fetchone()[0])


async def _compact_postgres(address: Address) -> tuple[int, int]:
    """Servers work on meanwhile. Free space at the end of a table goes; what is in its middle waits for new rows."""
    from valetkey.store.postgres_way import connect, or_unavailable

    connection = await connect(address, patience=None)
    size = "SELECT pg_database_size(current_database())"
    with or_unavailable():
        try:
            before = await connection.fetchval(size)
            for (table,) in await connection.fetch(_TABLES):
                await connection.execute(f"VACUUM (ANALYZE) {table}")
                await connection.execute(f"REINDEX TABLE CONCURRENTLY {table}")
            return before, await connection.fetchval(size)
        finally:
            await connection.close()
