"""A program in a process of its own: on a port that was free, until it answers, until it is gone."""

import contextlib
import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from tests.waiting import until

VALETKEY = str(Path(sys.executable).with_name("valetkey"))  # beside this interpreter: the tree we stand in
DEADLINE = 10.0  # seconds in which a program must end that was told to


class Program:
    """In the foreground, first of a process group of its own; what it says goes to `log`, if there is one."""

    def __init__(
        self, port: int, name: str, *arguments: object, log: Path | None = None, **more: Any
    ) -> None:
        found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert found, f"{name} is missing; ./dev test installs it"
        self.port, self.name, self.log = port, Path(name).name, log
        if log is not None:
            more |= {"stdout": log.open("wb"), "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen(
            [found, *map(str, arguments)], stdin=subprocess.DEVNULL, start_new_session=True, **more
        )
        if log is not None:
            more["stdout"].close()

    def ready(self, path: str = "") -> Self:
        """Wait until it listens, or answers this with 200; if it never does, nothing is left of it."""
        try:
            until(
                lambda: self.runs() and (self.well(path) if path else self.listens()), f"{self.name} is ready"
            )
        except BaseException:
            self.stop()
            raise
        return self

    def runs(self) -> bool:
        assert self.process.poll() is None, f"{self.name} ended at once:\n{self.said()}"
        return True

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def well(self, path: str) -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            try:
                connection.request("GET", path)
                return connection.getresponse().status == 200
            except OSError:
                return False

    def said(self) -> str:
        """What is in its log."""
        return self.log.read_text(errors="replace") if self.log is not None and self.log.exists() else ""

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(DEADLINE)


def free_port() -> int:
    """A port that nobody listens at; below those that the kernel gives to whoever connects, who could be faster."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
