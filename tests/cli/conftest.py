"""The command line, run in this process, on a database of its own."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner

from valetkey.cli.main import cli

PASSWORD = "a long enough password"


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """`shell("users", "list")`; the database is named by the environment."""

    def __init__(self, database: str) -> None:
        self.database = database

    def __call__(self, *words: str, stdin: str | bytes = "", **environment: str) -> Said:
        env = {"VALETKEY_DATABASE": self.database, **environment}
        result = CliRunner().invoke(cli, list(words), input=stdin, env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    def account(self, username: str) -> Any:
        """A new account."""
        said = self("users", "add", username, "--password-stdin", "--json", stdin=PASSWORD + "\n")
        assert said.code == 0, said.err
        return said.json

    def app(self, owner: str, *more: str) -> Any:
        """A new app."""
        uri = ("--redirect-uri", "https://app.example/cb")
        said = self("apps", "add", "An app", "--owner", owner, *uri, *more, "--json")
        assert said.code == 0, said.err
        return said.json


@pytest.fixture
def shell(fresh_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A shell in an empty folder; what commands do to the logs of this process is undone."""
    handlers, level = logging.root.handlers[:], logging.root.level
    monkeypatch.chdir(tmp_path)
    yield Shell(f"sqlite:///{fresh_sqlite}")
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
