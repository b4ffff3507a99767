"""A server on a database that was filled in bulk: its requests, its store alone, and what its tables weigh."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import wire
from fill import REDIRECT, STEP, Filling
from machine import SERVER_CORE, on_cores
from ours import Valetkey
from rounds import say
from servers import HERE

ASKED = 30_000  # different requests of a kind in a round
TOKEN_PATH = "/oauth/access_token"


@dataclass
class Grown(Valetkey):
    """A server on a database that was filled in bulk."""

    filling: Filling = field(default_factory=lambda: Filling(0))
    cluster: Any = None
    every: float = 1e9  # seconds between the looks of housekeeping

    def environment(self) -> dict[str, str]:
        return super().environment() | {"BENCH_EVERY": str(self.every)}

    def fill(self) -> None:
        """In a process of its own: ten million rows leave its memory in pieces."""
        self.folder.mkdir(parents=True)
        begin = time.monotonic()
        settings = {"cwd": self.folder, "env": self.environment()}
        keys = ("live", "over", "codes", "ordered")
        counts = [str(int(getattr(self.filling, key))) for key in keys]
        said = subprocess.run(
            [sys.executable, HERE / "fill.py", *counts],
            **settings,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        now, self.filling.app_secret, *self.filling.apps = said.split()
        self.filling.now = int(now)
        say(f"{self.name}: filled in {time.monotonic() - begin:.0f} s")

    def serve(self, every: float) -> None:
        """Begin to serve; housekeeping looks every so many seconds."""
        self.every = every
        self.launch()

    def write_requests(self, number: int, codes: int) -> None:
        """The requests of a round; no round asks for what an earlier one asked for, while there is enough."""
        filling, host = self.filling, f"127.0.0.1:{self.port}"
        first = number * ASKED
        tokens = (filling.token((first + n) * STEP % filling.live) for n in range(min(ASKED, filling.live)))
        people = ((first + n) * STEP % filling.people for n in range(min(ASKED, filling.people)))
        asked = {"redirect_uri": REDIRECT, "client_id": filling.apps[0], "client_secret": filling.app_secret}
        asked |= {"grant_type": "authorization_code"}
        spent = [filling.code(n) for n in range(number * codes, (number + 1) * codes)]
        self.write(
            f"bearer-{number}", (wire.get(host, f"/v1/users/self?access_token={token}") for token in tokens)
        )
        self.write(f"authorize-{number}", (self.authorize(host, person) for person in people))
        half = codes // 2
        for mark, some in (("", spent[:half]), ("-paced", spent[half:])):
            self.write(
                f"exchange-{number}{mark}", (wire.post(host, TOKEN_PATH, asked | {"code": c}) for c in some)
            )

    def authorize(self, host: str, person: int) -> bytes:
        query = {"client_id": self.filling.apps[person % len(self.filling.apps)], "redirect_uri": REDIRECT}
        path = "/oauth/authorize/?" + urlencode(query | {"response_type": "code"})
        return wire.get(host, path, f"Cookie: valetkey={self.filling.session(person)}")

    def write(self, name: str, requests: Iterator[bytes]) -> None:
        wire.write(self.folder / f"{name}.requests", requests)

    def store_alone(self, first_code: str) -> dict[str, list[float]]:
        filling = self.filling
        given = (
            *(self.database, str(filling.live), str(int(filling.ordered)), first_code),
            *(str(filling.now), *filling.apps),
        )
        with on_cores(SERVER_CORE):
            said = subprocess.run(
                [sys.executable, HERE / "stored.py", *given],
                env=self.environment(),
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            ).stdout
        found: dict[str, list[float]] = json.loads(said)
        return found

    def ask(self, statement: str) -> list[tuple[str, ...]]:
        """Rows of the database, as text."""
        if self.cluster is None:
            with closing(sqlite3.connect(self.database.removeprefix("sqlite:///"))) as connection:
                return [tuple(map(str, row)) for row in connection.execute(statement)]
        said = self.cluster.sql(statement, self.database.partition("?")[0].rpartition("/")[2])
        return [tuple(line.split("|")) for line in said.splitlines()]

    def weights(self) -> dict[str, int]:
        """Bytes of each table with its indexes, and of all."""
        if self.cluster is None:
            of = "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_schema USING(name) GROUP BY 1"
            files = (Path(self.database.removeprefix("sqlite:///") + end) for end in ("", "-wal"))
            whole = sum(file.stat().st_size for file in files if file.exists())
        else:
            of = "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables"
            whole = int(self.ask("SELECT pg_database_size(current_database())")[0][0])
        return {name: int(size) for name, size in self.ask(of)} | {"": whole}

    def over_share(self) -> float:
        """What of the rows that were over at the start is still there: they ended one after the other."""
        first = int(self.ask("SELECT min(expires_at) FROM tokens")[0][0])
        oldest, newest = self.filling.now - 31 * 86400, self.filling.now - 86400
        return max(0.0, min(1.0, (newest - first) / (newest - oldest)))
