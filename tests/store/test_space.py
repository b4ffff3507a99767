"""Files and tables are as large as what lives in them: after a flood, its room is given back or used again."""

import hashlib
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from tests.throwaway_postgres import ThrowawayPostgres
from valetkey.store import Store, cleaning, open_store

NOW = 1_700_000_000
MANY = 20_000
NEW_ROOT = "INSERT INTO authorizations VALUES(?, ?, 'app', 'basic', ?, NULL, NULL, NULL)"
NEW_TOKEN = "INSERT INTO tokens VALUES(?, ?, ?, ?, NULL)"


def flood(path: Path, count: int, end: int) -> None:
    """Tokens that end then, and their authorizations."""
    keys = [hashlib.sha256(f"{end} {n}".encode()).digest() for n in range(count)]
    roots = [int.from_bytes(key[:7], "big") for key in keys]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(NEW_ROOT, ((root, n, NOW) for n, root in enumerate(roots, 1)))
        connection.executemany(
            NEW_TOKEN, ((key, root, NOW, end) for key, root in zip(keys, roots, strict=True))
        )


async def all_of(work: Callable[[int], Awaitable[int]], limit: int = 2000) -> int:
    """Again and again until nothing is left to do."""
    total = 0
    while done := await work(limit):
        total += done
    return total


def length(path: Path) -> int:
    return path.stat().st_size


async def emptied(path: Path) -> Store:
    """A store in which nearly all has ended and was cleaned up."""
    store = open_store(f"sqlite:///{path}")
    await store.open()
    flood(path, MANY, NOW)
    flood(path, 1000, NOW + 1)
    assert await all_of(lambda limit: store.clean(NOW, limit)) == 2 * MANY
    return store


async def test_a_file_is_small_again_after_a_flood(fresh_sqlite: Path) -> None:
    store = await emptied(fresh_sqlite)
    assert await all_of(store.shrink, 50) > 800
    assert length(fresh_sqlite) < 3_000_000
    assert await store.clean(NOW + 1, 5000) == 2000  # what lived was left alone
    await store.close()
    with closing(sqlite3.connect(fresh_sqlite)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_file_that_is_well_filled_is_left_alone(fresh_sqlite: Path) -> None:
    """What a quarter of the file has to spare the next rows will take."""
    store = open_store(f"sqlite:///{fresh_sqlite}")
    await store.open()
    flood(fresh_sqlite, MANY, NOW + 1)
    flood(fresh_sqlite, 1000, NOW)
    assert await all_of(lambda limit: store.clean(NOW, limit)) == 2000
    assert await store.shrink(50) == 0
    await store.close()


async def test_a_file_of_old_which_cannot_shrink_is_left_alone(fresh_sqlite: Path) -> None:
    with closing(sqlite3.connect(fresh_sqlite)) as connection:
        connection.execute("CREATE TABLE before(x)")
    store = await emptied(fresh_sqlite)
    assert await store.shrink(50) == 0
    await store.close()


async def test_tables_do_not_grow_by_what_comes_and_goes(
    fresh_postgres: str, postgres: ThrowawayPostgres
) -> None:
    """Rows come and go, and a vacuum as autovacuum makes it stands between."""
    store = open_store(fresh_postgres)
    await store.open()
    name = fresh_postgres.partition("?")[0].rpartition("/")[2]
    sizes = []
    for turn in range(4):
        some = f"generate_series(1, 5000) n, LATERAL (SELECT sha256(('{turn} ' || n)::bytea) AS key) k"
        postgres.sql(f"INSERT INTO authorizations SELECT n, n, 'app', 'basic', 1 FROM {some}", name)
        postgres.sql(f"INSERT INTO tokens SELECT key, n, 1, {NOW} FROM {some}", name)
        assert await all_of(lambda limit: store.clean(NOW, limit)) == 10_000
        for table in ("tokens", "authorizations"):
            postgres.sql(f"VACUUM {table}", name)
        sizes.append(int(postgres.sql("SELECT pg_total_relation_size('tokens')", name)))
    assert max(sizes) == sizes[1]
    await store.close()


async def test_autovacuum_is_asked_to_come_early(fresh_postgres: str, postgres: ThrowawayPostgres) -> None:
    store = open_store(fresh_postgres)
    await store.open()
    await store.close()
    name = fresh_postgres.partition("?")[0].rpartition("/")[2]
    options = dict(
        line.split("|")
        for line in postgres.sql(
            "SELECT relname, reloptions FROM pg_class WHERE relkind = 'r'", name
        ).splitlines()
    )
    few = {"clients", "pictures", "registration_tokens", "sealed_keys"}
    for table in {dead.table for dead in cleaning.DEAD} - few | {"authorizations"}:
        assert "autovacuum_vacuum_scale_factor=0.0" in options[table], table
    for table in ("codes", "refresh_tokens", "pushed_requests"):  # of which each is spent
        assert "fillfactor=80" in options[table], table


async def test_spending_a_code_touches_no_index(fresh_postgres: str, postgres: ThrowawayPostgres) -> None:
    """There is room beside each code for itself, spent."""
    store = open_store(fresh_postgres)
    await store.open()
    await store.close()
    name = fresh_postgres.partition("?")[0].rpartition("/")[2]
    rows = "SELECT n, sha256(n::text::bytea), 'https://rp.test/cb', 1, NULL, NULL FROM generate_series(1, 2000) n"
    postgres.sql(f"INSERT INTO codes {rows}", name)
    postgres.sql("UPDATE codes SET spent_at = 1 WHERE authorization_id % 10 = 0", name)
    counted = postgres.sql(
        "SELECT pg_stat_force_next_flush(); "
        "SELECT n_tup_hot_upd, n_tup_upd FROM pg_stat_user_tables WHERE relname = 'codes'",
        name,
    )
    hot, updated = map(int, counted.splitlines()[-1].split("|"))
    assert updated == 200 and hot >= 190
