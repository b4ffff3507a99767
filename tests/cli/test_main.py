"""The program as a whole: quick to help, clear about mistakes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from valetkey import __version__
from valetkey.cli.terminal import without_password

HEAVY = "argon2 asyncpg jinja2 msgspec sqlite3 starlette structlog uvicorn valetkey.server valetkey.store valetkey.web"


def test_help_imports_nothing_heavy() -> None:
    code = f"import sys, valetkey.cli.main; print([m for m in {HEAVY.split()!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_help_is_there_at_once() -> None:
    program = Path(sys.executable).with_name("valetkey")
    took = []
    for _ in range(3):
        began = time.monotonic()
        subprocess.run([program, "--help"], capture_output=True, check=True, timeout=60)
        took.append(time.monotonic() - began)
    assert min(took) < 1  # 0.1 s on an idle machine


@pytest.mark.parametrize(
    "words",
    [
        (), ("users",), ("users", "add"), ("users", "list"), ("users", "set-password"), ("users", "disable"),
        ("users", "enable"), ("apps",), ("apps", "add"), ("apps", "list"), ("apps", "show"),
        ("apps", "rotate-secret"), ("apps", "delete"), ("tokens", "revoke"), ("config", "check"),
        ("config", "show"), ("db", "migrate"), ("db", "check"), ("serve",), ("demo",),
    ],
)  # fmt: skip
def test_everything_has_help(shell: Shell, words: tuple[str, ...]) -> None:
    said = shell(*words, "--help")
    assert said.code == 0 and said.out.startswith("Usage: ")
    assert words != () or all(
        name in said.out for name in ("users", "apps", "tokens", "config", "db", "serve", "demo")
    )


def test_the_version(shell: Shell) -> None:
    assert shell("--version").out == f"valetkey {__version__}\n"


@pytest.mark.parametrize(
    "words", [("nonsense",), ("users", "add"), ("users", "list", "--nonsense"), ("apps", "add", "x")]
)
def test_wrong_usage_ends_with_2(shell: Shell, words: tuple[str, ...]) -> None:
    said = shell(*words)
    assert said.code == 2 and said.err.startswith("Usage: ") and said.out == ""


def test_the_database_may_be_named_before_and_after_a_command(shell: Shell, tmp_path: Path) -> None:
    shell.account("alice")
    other = f"sqlite:///{tmp_path / 'other.db'}"
    for words in (("--database", other, "users", "list"), ("users", "list", "--database", other)):
        assert shell(*words, "--json").json == []
    nearer = ("--database", other, "users", "list", "--database", shell.database)
    assert [one["username"] for one in shell(*nearer, "--json").json] == ["alice"]


def test_the_settings_file_is_read(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text('name = "Northlight"\n[apps]\nprofile = "oauth21"\n')
    shell.account("alice")
    assert shell.app("alice", "--config", str(file))["profile"] == "oauth21"
    assert shell("--config", str(file), "config", "show", "--json").json["name"] == "Northlight"


@pytest.mark.parametrize(
    ("database", "words"),
    [
        ("mysql://x/y", "database: a database's address is "),
        ("sqlite:////nowhere/at/all.db", "database: cannot be used: "),
        ("postgresql://me:hunter2@127.0.0.1:1/x", "database: cannot be used: "),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(shell: Shell, database: str, words: str) -> None:
    said = shell("users", "list", "--database", database)
    assert said.code in (1, 2) and said.out == ""
    assert said.err.startswith(words) and said.err.count("\n") == 1 and "hunter2" not in said.err


def test_settings_that_cannot_be_read_are_one_line(shell: Shell) -> None:
    said = shell("users", "list", VALETKEY_SERVER_PORT="eighty")
    assert said.code == 2 and said.err == "VALETKEY_SERVER_PORT: a number, not 'eighty'\n"
    said = shell("users", "list", "--config", "nowhere.toml")
    assert said.code == 2 and said.err.startswith("cannot read nowhere.toml: ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:hunter2@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:hun:t@er/2@host/db", "postgresql://me:***@host/db"),
        (
            "postgresql://host/db?user=me&password=hunter2&x=1",
            "postgresql://host/db?user=me&password=***&x=1",
        ),
        ("postgresql://host/db?sslpassword=hunter2", "postgresql://host/db?sslpassword=***"),
        ("postgresql://me@host:5432/db", "postgresql://me@host:5432/db"),
        ("sqlite:////tmp/a@b.db", "sqlite:////tmp/a@b.db"),
    ],
)
def test_passwords_in_addresses_are_never_shown(text: str, shown: str) -> None:
    assert without_password(text) == shown
