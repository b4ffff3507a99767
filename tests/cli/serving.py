"""A `valetkey serve` in a process of its own, as an operator starts it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.program import VALETKEY
from tests.waiting import PATIENCE, until


class Serving:
    """`with Serving(database, "--workers", "2") as server:`; its log lines are JSON."""

    def __init__(self, database: str | None, *words: str, **environment: str) -> None:
        """database: None where the settings file names it."""
        env = os.environ | ({"VALETKEY_DATABASE": database} if database else {}) | environment
        self.process = subprocess.Popen(
            [VALETKEY, "serve", "--port", "0", "--json", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env,
        )  # fmt: skip
        self.lines: list[dict[str, Any]] = []
        self.garbled = False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.startswith("{") or not self.garbled:
                self.lines.append(json.loads(line))

    def __enter__(self) -> "Serving":
        until(lambda: bool(self.said("listening")) or self.process.poll() is not None)
        self.port: int = self.said("listening")[0]["port"]
        until(lambda: self.get("/readyz")[0] == 200)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def said(self, event: str) -> list[dict[str, Any]]:
        """The log lines of one kind so far."""
        return [line for line in self.lines if line["event"] == event]

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask once, on a connection of its own; status 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def connect(self, sends: bytes) -> socket.socket:
        """A connection that has sent these bytes."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        made.sendall(sends)
        return made

    def children(self) -> set[int]:
        """The processes that serve: at the ends of the tree, wherever one is of this server."""
        return leaves(self.process.pid) - {self.process.pid}

    def ends(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it went before, or while we looked
        return False


def leaves(pid: int) -> set[int]:
    """The processes beneath one that have none beneath themselves."""
    try:
        beneath = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return set()
    return set().union(*(leaves(int(child)) for child in beneath)) if beneath else {pid}


def ports_of(pid: int, port: int) -> set[int]:
    """The clients' ports of the connections that a process has."""
    inodes = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            inodes.add(os.readlink(file).removeprefix("socket:[").removesuffix("]"))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    here = f"0100007F:{port:04X}"
    return {
        int(row[2].partition(":")[2], 16)
        for row in rows
        if row[1] == here and row[3] == "01" and row[9] in inodes
    }
