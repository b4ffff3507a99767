"""valetkey as it is measured: `valetkey serve` of one working tree on SQLite or PostgreSQL; and the floor."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from machine import LOAD_CORE, SERVER_CORE
from servers import HERE, ROOT, Good, Server

NO_LIMIT = str(10**9)


@dataclass
class Valetkey(Server):
    """One worker and the defaults; only limits are lifted that a load would run into."""

    database: str = ""
    tree: Path = ROOT

    GOOD: ClassVar[dict[str, Good]] = {
        "empty": Good(200, "ok"),
        "authorize": Good(302, "https://rp.test/cb?code="),
        "exchange": Good(200, '"access_token":"'),
        "exchange-oauth21": Good(200, '"access_token":"'),
        "exchange-refresh": Good(200, '"refresh_token":"'),
        "refresh": Good(200, '"refresh_token":"'),
        "bearer": Good(200, '"username":"user'),
        "introspect": Good(200, '"active":true'),
        "client-credentials": Good(200, '"access_token":"'),
        "login": Good(303, "set-cookie: valetkey="),
        "bearer beside logins": Good(200, '"username":"user'),
    }
    REST: ClassVar[dict[str, float]] = {"bearer": 1.2}
    READY = "/readyz"

    def command(self) -> list[object]:
        return [sys.executable, HERE / "serve.py", str(self.port), str(self.workers)]

    def environment(self) -> dict[str, str]:
        """A day for the login counters, so that the idle server has none to clean up."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("VALETKEY_")}
        return clean | {
            "PYTHONPATH": str(self.tree / "src"),
            "VALETKEY_DATABASE": self.database if "://" in self.database else f"sqlite:///{self.database}",
            "VALETKEY_ISSUER": f"http://127.0.0.1:{self.port}",
            "VALETKEY_API_RATE_LIMIT": NO_LIMIT,
            "VALETKEY_LOGIN_ATTEMPTS_PER_ACCOUNT": NO_LIMIT,
            "VALETKEY_LOGIN_ATTEMPTS_PER_NETWORK": NO_LIMIT,
            "VALETKEY_LOGIN_WINDOW": "86400",
            "VALETKEY_SERVER_CONNECTIONS_PER_ADDRESS": "1000",
        }

    def prepare(self, rounds: int, codes: int) -> None:
        command = [sys.executable, HERE / "prepare.py", self.folder, str(rounds), str(codes)]
        subprocess.run(command, check=True, cwd=self.folder, env=self.environment())

    def log_in(self) -> None:
        self.get("/v1/users/self")  # so that what is loaded late is there


@dataclass
class OnSqlite(Valetkey):
    """The database is a file in the folder."""

    def written(self) -> object:
        """SQLite's third file, -shm, is shared memory."""
        files = (self.folder / "database.db", self.folder / "database.db-wal")
        return [(file.stat().st_size, file.stat().st_mtime_ns) for file in files]


@dataclass
class OnPostgres(Valetkey):
    """The database is one of the cluster's."""

    cluster: Any = None

    def written(self) -> object:
        """PostgreSQL's own count of the rows written in our tables."""
        count = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
        return self.cluster.sql(count, self.database.partition("?")[0].rpartition("/")[2])


@dataclass
class OnTwoCores(OnPostgres):
    """Two workers, PostgreSQL and the generator share two cores, with connections for each; only bearer is asked."""

    cores: tuple[int, ...] = (SERVER_CORE, LOAD_CORE)
    load_cores: tuple[int, ...] = (SERVER_CORE, LOAD_CORE)
    workers: int = 2

    GOOD: ClassVar[dict[str, Good]] = {"bearer": Valetkey.GOOD["bearer"]}


@dataclass
class Floor(Server):
    """The least that an honest exchange and an honest look-up take, on the same HTTP server (floor/)."""

    database: str = ""

    GOOD: ClassVar[dict[str, Good]] = {
        name: Valetkey.GOOD[name] for name in ("empty", "exchange", "bearer", "introspect")
    }
    READY = "/nop"

    def command(self) -> list[object]:
        flags = "--no-access-log --log-level warning --loop uvloop --http httptools".split()
        quiet = "--no-server-header --no-date-header --no-proxy-headers".split()
        where = ["--app-dir", HERE / "floor", "--host", "127.0.0.1", "--port", str(self.port)]
        return [sys.executable, "-m", "uvicorn", "app:app", *where, *flags, *quiet]

    def environment(self) -> dict[str, str]:
        return dict(os.environ) | {"FLOOR_DATABASE": self.database}

    def prepare(self, rounds: int, codes: int) -> None:
        command = [sys.executable, HERE / "floor/prepare.py", self.folder, str(rounds), str(codes)]
        subprocess.run(command, check=True, cwd=self.folder, env=self.environment())
