"""A server that is measured: started on a core of its own, asked what it costs, stopped; and how load is put on it."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from machine import LOAD_CORE, SERVER_CORE, TICK, on_cores, resident, stat, with_children

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from tests.program import free_port  # noqa: E402


class Good(NamedTuple):
    """What a good answer is: its status, and words in it."""

    status: int
    words: str


@dataclass
class Server:
    """Subclasses say what to run. `beside` are processes whose work counts as its own."""

    name: str
    engine: str
    folder: Path
    beside: tuple[int, ...] = ()
    cores: tuple[int, ...] = (SERVER_CORE,)
    load_cores: tuple[int, ...] = (LOAD_CORE,)
    workers: int = 1
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    start_seconds: float = 0.0
    idle_megabytes: float = 0.0

    GOOD: ClassVar[dict[str, Good]] = {}  # the operations that it has
    REST: ClassVar[dict[str, float]] = {}  # seconds after an operation until it has written all
    LEARNS: ClassVar[set[str]] = set()  # the operations whose answers it needs
    READY = "/"

    def command(self) -> list[object]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def prepare(self, rounds: int, codes: int) -> None:
        """Before the start: a database."""

    def log_in(self) -> None:
        """After the start: what only a running server can give."""

    def learn(self, operation: str, number: int, answers: Path) -> None:
        """What the answers to an operation give for the next ones."""

    def start(self, rounds: int, codes: int) -> None:
        self.folder.mkdir(parents=True)
        self.prepare(rounds, codes)
        begin = time.monotonic()
        self.launch()
        self.start_seconds = time.monotonic() - begin
        self.log_in()
        time.sleep(1)
        self.idle_megabytes = self.megabytes()

    def launch(self) -> None:
        given = {"cwd": self.folder, "env": self.environment()}
        with on_cores(*self.cores), (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, **given)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        for _ in range(3000):
            if self.process is None or self.process.poll() is not None:
                break
            with suppress(OSError):
                if self.get(self.READY) < 500:
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
        """Something that changes when anything is written, if one can tell."""
        return None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


def load(binary: Path, server: Server, asked: Any, answers: Path | None = None) -> dict[str, float]:
    """Send the requests of one operation and return what load.c says of the answers."""
    return finished(begun(binary, server, asked, answers))


def begun(binary: Path, server: Server, asked: Any, answers: Path | None = None) -> subprocess.Popen[str]:
    good = server.GOOD[asked.name]
    command = [binary, "-p", str(server.port), "-f", server.folder / f"{asked.requests}.requests"]
    command += ["-c", str(asked.connections), "-s", str(asked.seconds)]
    command += ["-e", str(good.status), "-w", good.words, *(["-y"] if asked.again else [])]
    command += ["-r", str(asked.rate)] if asked.rate else []
    command += ["-o", answers] if answers else []
    with on_cores(*server.load_cores):
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
