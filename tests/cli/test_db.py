"""`valetkey db`: what is missing, and taking the steps."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import Shell
from tests.throwaway_postgres import ThrowawayPostgres


def test_migrate_takes_what_check_misses(shell: Shell) -> None:
    missing = shell("db", "check", "--json")
    assert missing.code == 1 and missing.json["missing"]
    assert missing.err.splitlines()[-1] == "database: run valetkey db migrate"
    assert shell("db", "migrate", "--json").json == {"taken": missing.json["missing"]}
    assert shell("db", "migrate").out == "up to date\n"
    said = shell("db", "check")
    assert (said.code, said.out, said.err) == (0, "up to date\n", "")


def test_migrate_says_each_step(shell: Shell) -> None:
    assert shell("db", "migrate").out.startswith("taken: 0001_")


def test_check_changes_nothing(shell: Shell) -> None:
    assert shell("db", "check").code == shell("db", "check").code == 1


def test_postgresql_too(shell: Shell, fresh_postgres: str) -> None:
    assert shell("db", "check", "--database", fresh_postgres).code == 1
    assert shell("db", "migrate", "--database", fresh_postgres).code == 0
    assert shell("db", "check", "--database", fresh_postgres).code == 0


def test_a_database_that_cannot_be_reached(shell: Shell) -> None:
    for command in ("check", "migrate"):
        said = shell("db", command, "--database", "postgresql://me:hunter2@127.0.0.1:1/x")
        assert (
            said.code == 1 and said.err.startswith("database: cannot be used: ") and "hunter2" not in said.err
        )


def test_compact_writes_the_file_anew(shell: Shell, fresh_sqlite: Path) -> None:
    """Also one of old, which could not give space back by itself."""
    with closing(sqlite3.connect(fresh_sqlite)) as connection:
        connection.execute("CREATE TABLE ballast(x)")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("INSERT INTO ballast SELECT zeroblob(1000000)")
        connection.execute("DROP TABLE ballast")
        connection.commit()
    address = ("--database", f"sqlite:///{fresh_sqlite}")
    assert shell("db", "migrate", *address).code == 0
    sizes = shell("db", "compact", *address, "--json").json
    assert sizes["before"] > 1_000_000 and sizes["after"] == fresh_sqlite.stat().st_size < 400_000
    with closing(sqlite3.connect(fresh_sqlite)) as connection:
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert shell("db", "check", *address).code == 0
    assert shell("db", "compact", *address).out.endswith(" MB after\n")


def test_compact_on_postgresql(shell: Shell, fresh_postgres: str, postgres: ThrowawayPostgres) -> None:
    address = ("--database", fresh_postgres)
    assert shell("db", "migrate", *address).code == 0
    name = fresh_postgres.partition("?")[0].rpartition("/")[2]
    rows = "SELECT sha256(n::text::bytea), n FROM generate_series(1, 20000) n"
    postgres.sql(f"INSERT INTO once {rows}", name)
    postgres.sql("DELETE FROM once WHERE until > 100", name)
    sizes = shell("db", "compact", *address, "--json").json
    assert sizes["after"] < sizes["before"] - 1_000_000
    assert postgres.sql("SELECT count(*) FROM once", name) == "100"


def test_what_cannot_be_compacted_says_so(shell: Shell, fresh_sqlite: Path) -> None:
    for place in ("/dev/null/nowhere.db", str(fresh_sqlite)):
        said = shell("db", "compact", "--database", f"sqlite:///{place}")
        assert said.code == 1 and said.err.startswith("database: cannot be used: ")
    assert not fresh_sqlite.exists()
    assert shell("db", "compact", "--database", "memory://", "--json").json == {"before": 0, "after": 0}
