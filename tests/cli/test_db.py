"""`valetkey db`: what is missing, and taking the steps."""

from tests.cli.conftest import Shell


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
