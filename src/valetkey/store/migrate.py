"""Brings a database to the schema this code knows: numbered steps, forward only, under a lock, all or none."""

import asyncio
import os
import sqlite3
from importlib import resources

from valetkey.store import sqlite_file
from valetkey.store.address import Address, parse
from valetkey.store.base import Unavailable

_TABLE = "CREATE TABLE IF NOT EXISTS schema_version(version INTEGER PRIMARY KEY);\n"
_VERSION = "SELECT max(version) FROM schema_version"
_LOCK = 0x76616C65746B6579  # the advisory lock in PostgreSQL: "valetkey"


class NewerDatabase(Unavailable):
    """The database was made by a newer valetkey than this one."""


def steps() -> list[tuple[int, str, str]]:
    """Every step: its number, its name, its statements."""
    files = (file for file in resources.files("valetkey.store").joinpath("schema").iterdir())
    found = sorted((file.name, file.read_text()) for file in files if file.name.endswith(".sql"))
    return [(int(name.split("_")[0]), name.removesuffix(".sql"), text) for name, text in found]


async def pending(url: str) -> list[str]:
    """The names of the steps that the database at the address has not seen. Changes nothing."""
    address = parse(url)
    if address.engine == "sqlite":
        version = await asyncio.to_thread(_version_sqlite, address.place)
    elif address.engine == "postgresql":
        version = await _version_postgres(address)
    else:
        return []
    return [name for _, name, _ in _missing(version)]


async def migrate(url: str) -> list[str]:
    """Take the missing steps and return their names."""
    address = parse(url)
    if address.engine == "sqlite":
        return await asyncio.to_thread(migrate_sqlite, address.place)
    if address.engine == "postgresql":
        return await migrate_postgres(address)
    return []


def _missing(version: int) -> list[tuple[int, str, str]]:
    known = steps()
    if version > known[-1][0]:
        raise NewerDatabase(
            f"the database has schema version {version}, this valetkey knows versions up to {known[-1][0]}: "
            "it was used by a newer valetkey, run that one"
        )
    return [step for step in known if step[0] > version]


def _concerns(engine: str, name: str) -> bool:
    """A step for one engine is named 0002_so_and_so.engine; the other only notes its number."""
    return "." not in name or name.endswith(f".{engine}")


# SQLite


def _version_sqlite(path: str) -> int:
    if not os.path.exists(path):
        return 0
    try:
        connection = sqlite_file.connect(path)
        try:
            return _applied(connection)
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"{path}: {error}") from error


def _applied(connection: sqlite3.Connection) -> int:
    try:
        return connection.execute(_VERSION).fetchone()[0] or 0
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return 0
        raise


def migrate_sqlite(path: str) -> list[str]:
    """The steps for one file; whoever comes at the same time waits for the lock and finds nothing left to do."""
    try:
        connection = sqlite_file.connect(path)
        try:
            if not _missing(_applied(connection)):
                return []
            connection.execute("BEGIN IMMEDIATE")
            missing = _missing(_applied(connection))
            connection.execute(_TABLE)
            for number, name, text in missing:
                for statement in text.split(";\n") if _concerns("sqlite", name) else ():
                    connection.execute(statement)
                connection.execute("INSERT INTO schema_version VALUES(?)", (number,))
            connection.execute("COMMIT")
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"{path}: {error}") from error
    return [name for _, name, _ in missing]


# PostgreSQL


async def _version_postgres(address: Address) -> int:
    from valetkey.store.postgres_way import connect, or_unavailable

    connection = await connect(address)
    with or_unavailable():
        try:
            if await connection.fetchval("SELECT to_regclass('schema_version')::text") is None:
                return 0
            return await connection.fetchval(_VERSION) or 0
        finally:
            await connection.close()


async def migrate_postgres(address: Address) -> list[str]:
    """The steps for one database, in a transaction that holds an advisory lock."""
    from valetkey.store.postgres_way import connect, or_unavailable

    if not _missing(await _version_postgres(address)):
        return []
    connection = await connect(address, patience=None)
    with or_unavailable():
        try:
            async with connection.transaction():
                await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
                await connection.execute(_dialect(_TABLE))
                missing = _missing(await connection.fetchval(_VERSION) or 0)
                for number, name, text in missing:
                    if _concerns("postgresql", name):
                        await connection.execute(_dialect(text))
                    await connection.execute(f"INSERT INTO schema_version VALUES({number})")
        finally:
            await connection.close()
    return [name for _, name, _ in missing]


def _dialect(text: str) -> str:
    """What PostgreSQL calls it, and what is said to it alone.

    Text is compared byte by byte, so that no change of locale can damage an index.
    """
    words = {"INTEGER": "BIGINT", "BLOB": "BYTEA", " TEXT": ' TEXT COLLATE "C"', ") WITHOUT ROWID": ")"}
    lines = (line.removeprefix("-- postgresql: ") for line in text.splitlines())
    code = "\n".join(line for line in lines if not line.startswith("--"))
    for ours, theirs in words.items():
        code = code.replace(ours, theirs)
    return code
