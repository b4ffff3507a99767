"""The servers that are measured: prepared, started on a core of their own, asked what they cost, stopped."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machine import LOAD_CORE, SERVER_CORE, TICK, on_core, resident, stat, with_children

HERE = Path(__file__).parent
ROOT = HERE.parent
NO_LIMIT = str(10**9)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(tree: Path, database: str, port: int) -> dict[str, str]:
    """What the server and its preparation see: limits are lifted that a load would run into.

    A day for the login counters, so that the idle server has none to clean up.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VALETKEY_")}
    return clean | {
        "PYTHONPATH": str(tree / "src"),
        "VALETKEY_DATABASE": database,
        "VALETKEY_ISSUER": f"http://127.0.0.1:{port}",
        "VALETKEY_API_RATE_LIMIT": NO_LIMIT,
        "VALETKEY_LOGIN_ATTEMPTS_PER_ACCOUNT": NO_LIMIT,
        "VALETKEY_LOGIN_ATTEMPTS_PER_NETWORK": NO_LIMIT,
        "VALETKEY_LOGIN_WINDOW": "86400",
        "VALETKEY_SERVER_CONNECTIONS_PER_ADDRESS": "1000",
    }


@dataclass
class Server:
    """valetkey of one working tree on one database. `beside` are processes whose work counts as its own."""

    name: str
    tree: Path
    database: str
    folder: Path
    beside: tuple[int, ...] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    start_seconds: float = 0.0
    idle_megabytes: float = 0.0

    def start(self, rounds: int, codes: int) -> None:
        self.folder.mkdir(parents=True)
        given = {"cwd": self.folder, "env": environment(self.tree, self.database, self.port)}
        prepare = [sys.executable, HERE / "prepare.py", self.folder, str(rounds), str(codes)]
        subprocess.run(prepare, check=True, **given)
        begin = time.monotonic()
        serve = [sys.executable, HERE / "serve.py", str(self.port)]
        with on_core(SERVER_CORE), (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(serve, stdout=log, stderr=log, **given)
        self.wait_until_ready()
        self.start_seconds = time.monotonic() - begin
        self.get("/v1/users/self")  # so that what is loaded late is there
        time.sleep(1)
        self.idle_megabytes = self.megabytes()

    def wait_until_ready(self) -> None:
        for _ in range(3000):
            if self.process is None or self.process.poll() is not None:
                break
            with suppress(OSError):
                if self.get("/readyz") == 200:
                    return
            time.sleep(0.01)
        raise RuntimeError(f"{self.name} did not start: {(self.folder / 'log').read_text()[-2000:]}")

    def get(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                status: int = answer.status
                return status
        except urllib.error.HTTPError as error:
            return error.code

    def cpu(self) -> float:
        """Seconds of processor time so far, the database's included."""
        assert self.process is not None
        parts = [stat(pid) for pid in with_children([self.process.pid, *self.beside])]
        return sum(int(part) for one in parts for part in one[11:15]) / TICK

    def megabytes(self) -> float:
        assert self.process is not None
        return resident(self.process.pid)

    def written(self) -> object:
        """Something that changes when anything is written; SQLite's third file, -shm, is shared memory."""
        files = (self.folder / "valetkey.db", self.folder / "valetkey.db-wal")
        return [(file.stat().st_size, file.stat().st_mtime_ns) for file in files]

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


class OnSqlite(Server):
    """The database is a file in the folder."""


@dataclass
class OnPostgres(Server):
    """The database is one of the cluster's."""

    cluster: Any = None

    def written(self) -> object:
        """PostgreSQL's own count of the rows written in our tables."""
        count = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
        return self.cluster.sql(count, self.database.partition("?")[0].rpartition("/")[2])


def load(binary: Path, server: Server, asked: Any) -> dict[str, float]:
    """Send the requests of one operation and return what load.c says of the answers."""
    return finished(begun(binary, server, asked))


def begun(binary: Path, server: Server, asked: Any) -> subprocess.Popen[str]:
    command = [binary, "-p", str(server.port), "-f", server.folder / f"{asked.requests}.requests"]
    command += ["-c", str(asked.connections), "-s", str(asked.seconds)]
    command += ["-e", str(asked.status), "-w", asked.words, *(["-y"] if asked.again else [])]
    command += ["-r", str(asked.rate)] if asked.rate else []
    with on_core(LOAD_CORE):
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> dict[str, float]:
    said, _ = process.communicate()
    assert process.returncode == 0, "the load generator failed"
    found: dict[str, float] = json.loads(said)
    return found


def compiled(folder: Path) -> Path:
    """load.c as a program."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.exit("bench: a C compiler is needed: apt-get install -y gcc libc6-dev")
    subprocess.run([compiler, "-O2", "-o", folder / "load", HERE / "load.c"], check=True)
    return folder / "load"
