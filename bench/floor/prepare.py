"""Fill the floor's fresh database, and write the requests that load.c will send.

prepare.py FOLDER ROUNDS CODES; the database comes from FLOOR_DATABASE.
"""

import asyncio
import os
import sys
from pathlib import Path

from rows import CLIENT, REDIRECT, SCHEMA, SECRET, TABLES, TOKENS, rows

sys.path.insert(0, str(Path(__file__).parents[1]))
import wire

HOST = "floor.test"


def fill_sqlite(path: str, codes: int) -> None:
    from on_sqlite import connect

    connection = connect(path)
    whole = SCHEMA.replace("BIGINT PRIMARY", "INTEGER PRIMARY").replace("BYTEA", "BLOB")
    connection.executescript(whole)
    connection.execute("BEGIN")
    for table, content in zip(TABLES, rows(codes), strict=True):
        marks = ", ".join("?" * len(content[0]))
        connection.executemany(f"INSERT INTO {table} VALUES({marks})", content)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def fill_postgres(url: str, codes: int) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute(SCHEMA)
    for table, content in zip(TABLES, rows(codes), strict=True):
        await connection.copy_records_to_table(table, records=content)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()


def exchange(number: int) -> bytes:
    form = {"grant_type": "authorization_code", "client_id": CLIENT, "client_secret": SECRET}
    return wire.post(HOST, "/token", form | {"redirect_uri": REDIRECT, "code": f"{number}.code{number}"})


def bearer(number: int) -> bytes:
    return wire.get(HOST, "/me", f"Authorization: Bearer {number}.token{number}")


def introspect(number: int) -> bytes:
    form = {"client_id": CLIENT, "client_secret": SECRET, "token": f"{number}.token{number}"}
    return wire.post(HOST, "/introspect", form)


def main(folder: Path, rounds: int, codes: int) -> None:
    database = os.environ["FLOOR_DATABASE"]
    if database.startswith("postgresql:"):
        asyncio.run(fill_postgres(database, rounds * codes))
    else:
        fill_sqlite(database, rounds * codes)
    wire.write(folder / "empty.requests", [wire.get(HOST, "/nop")])
    living = range(1, min(TOKENS, rounds * codes) + 1)
    wire.write(folder / "bearer.requests", [bearer(n) for n in living])
    wire.write(folder / "introspect.requests", [introspect(n) for n in living])
    for number in range(rounds):
        mine = range(number * codes + 1, (number + 1) * codes + 1)
        wire.write(folder / f"exchange-{number}.requests", [exchange(n) for n in mine])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
