"""The process an operator starts and signals: it holds the socket, and one generation of workers succeeds another.

coming      starts, with settings and code as they are now, and does not count yet
current     serves
leaving     took its last connection; goes when its last connection has gone
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
from msgspec import Struct

from valetkey.cli.notify import notify

SIGNALS = (signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
LEAVE = signal.SIGUSR1  # from us to a generation: another one serves now
GRACE = 30  # seconds for requests under way, and for those who read slowly
PROGRAM = ("-m", "valetkey.cli.generation")
START = 60.0  # a generation that does not serve by then is given up
TOO_SOON = 2.0  # one that lives no longer than that is not replaced at once,
AGAIN = 1.0  # but after so many seconds
MOST_LEAVING = 3  # more, and the oldest closes what connections it still has


class Start(Struct, frozen=True):
    """What a generation is told on its command line."""

    database: str | None
    config: str | None
    flags: dict[str, str | int | bool | None]
    drain: float
    listening: int = -1
    tell: int = -1
    parent: int = 0


class Told(Struct, frozen=True, omit_defaults=True):
    """What a generation tells, a JSON object a line: of how many workers, each that serves, or why none can."""

    workers: int = 0
    serving: int = 0
    refused: tuple[str, ...] = ()


def tell(fd: int, told: Told) -> None:
    """One line to whoever started us, if they still listen."""
    with suppress(OSError):
        os.write(fd, msgspec.json.encode(told) + b"\n")


class Generation:
    """One process, perhaps with workers of its own, and what it has told."""

    def __init__(self, start: Start) -> None:
        self.told, end = os.pipe()
        os.set_blocking(self.told, False)
        start = msgspec.structs.replace(start, tell=end, parent=os.getpid())
        words = [sys.executable, "-P", *PROGRAM, msgspec.json.encode(start).decode()]
        try:
            self.process = subprocess.Popen(words, pass_fds=(start.listening, end))  # noqa: S603  our own program
        except OSError:
            os.close(self.told)
            raise
        finally:
            os.close(end)
        self.born = time.monotonic()
        self.heard = b""
        self.refused: tuple[str, ...] = ()

    def ready(self) -> bool:
        """Whether all its workers serve, by what it has told until now."""
        with suppress(BlockingIOError):
            while data := os.read(self.told, 65536):
                self.heard += data
        lines = [msgspec.json.decode(line, type=Told) for line in self.heard.split(b"\n")[:-1]]
        self.refused = next((line.refused for line in lines if line.refused), self.refused)
        wanted = sum(line.workers for line in lines)
        return 0 < wanted <= sum(1 for line in lines if line.serving)

    def ended(self) -> bool:
        """Whether it is no more."""
        return self.process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)


class Succession:
    """Starts generations and buries them. SIGHUP: the next one; SIGTERM and SIGINT: the end of all."""

    def __init__(self, start: Start, listening: socket.socket, say: Callable[..., None]) -> None:
        self.start = msgspec.structs.replace(start, listening=listening.fileno())
        self.listening, self.say = listening, say
        self.coming: Generation | None = None
        self.current: Generation | None = None
        self.leaving: list[Generation] = []
        self.began = self.asked_again = self.ending = False
        self.begins_at: float | None = None
        self.kills_at: float | None = None
        self.code = 0
        self.refused: tuple[str, ...] = ()  # why there never was a generation

    def run(self) -> int:
        """Serve until a signal says otherwise; returns the exit code."""
        with signals() as woken, selectors.DefaultSelector() as self.selector:
            self.selector.register(woken, selectors.EVENT_READ)
            self.begin()
            while self.everyone() or not self.ending:
                ready = self.selector.select(self.time_left())
                if any(key.fileobj is woken for key, _ in ready):
                    for number in set(woken.recv(4096)):
                        self.obey(number)
                if self.coming is not None and self.coming.ready() and not self.ending:
                    self.succeed(self.coming)
                self.look_at_clock()
        return self.code

    def everyone(self) -> list[Generation]:
        """All that live."""
        return [one for one in (self.coming, self.current, *self.leaving) if one is not None]

    def obey(self, number: int) -> None:
        """A signal came."""
        if number == signal.SIGCHLD:
            for one in self.everyone():
                if one.ended():
                    self.bury(one)
        elif number == signal.SIGHUP:
            self.reload()
        elif self.ending:
            self.send_all(signal.Signals(number))  # somebody is in a hurry
        else:
            self.end()

    def reload(self) -> None:
        """The next generation, please; after the one that is starting, which may have read what was there before."""
        if self.coming is not None:
            self.asked_again = True
        elif not self.ending:
            notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
            self.begin()

    def begin(self) -> None:
        """Start a generation."""
        self.begins_at, self.asked_again = None, False
        try:
            self.coming = Generation(self.start)
        except OSError as error:
            return self.fail((f"cannot start a process: {error.strerror}",))
        self.selector.register(self.coming.told, selectors.EVENT_READ)

    def succeed(self, one: Generation) -> None:
        """The coming generation serves: the current one may leave."""
        self.forget(one)
        before, self.current, self.began = self.current, one, True
        if before is not None:
            before.send(LEAVE)
            self.leaving.append(before)
            if len(self.leaving) > MOST_LEAVING:
                self.leaving[-MOST_LEAVING - 1].send(signal.SIGTERM)
            self.say("info", "reloaded", pid=one.process.pid)
        notify("READY=1")
        if self.asked_again:
            self.begin()

    def forget(self, one: Generation) -> None:
        """It is not the coming one any more; nothing more is heard of it."""
        self.selector.unregister(one.told)
        os.close(one.told)
        self.coming = None

    def bury(self, one: Generation) -> None:
        """A generation has ended."""
        code = one.process.returncode
        if one is self.coming:
            one.ready()  # reads its last words
            self.forget(one)
            if not self.ending:
                self.fail(one.refused or (f"the new server ended with exit code {code}",), code)
        elif one is self.current:
            self.current = None
            if not self.ending:
                lived = time.monotonic() - one.born
                self.say("error", "server_died", pid=one.process.pid, exit_code=code, lived=round(lived, 1))
                if self.coming is None:
                    self.begins_at = time.monotonic() + (AGAIN if lived < TOO_SOON else 0.0)
        else:
            self.leaving.remove(one)

    def fail(self, why: tuple[str, ...], code: int = 1) -> None:
        """There is no next generation: the current one goes on. Without one we try again, or never began."""
        if self.current is not None:
            self.say("error", "reload_failed", reason="; ".join(why))
            notify("READY=1", "STATUS=reload failed: " + "; ".join(why).replace("\n", " "))
        elif self.began:
            self.say("error", "start_failed", reason="; ".join(why))
            self.begins_at = time.monotonic() + AGAIN
        else:
            self.refused, self.code = why, max(code, 1)
            self.end()
        if self.asked_again and not self.ending:
            self.begin()

    def end(self) -> None:
        """All shall go; those that do not are killed later."""
        self.ending, self.begins_at = True, None
        self.kills_at = time.monotonic() + self.start.drain + GRACE + 10
        notify("STOPPING=1")
        self.listening.close()
        self.send_all(signal.SIGTERM)

    def send_all(self, number: signal.Signals) -> None:
        """Send everyone a signal."""
        for one in self.everyone():
            one.send(number)

    def time_left(self) -> float | None:
        """Seconds until the clock has something to say."""
        late = self.coming.born + START if self.coming is not None else None
        times = [at for at in (late, self.begins_at, self.kills_at) if at is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def look_at_clock(self) -> None:
        """Something may be due."""
        now = time.monotonic()
        if self.kills_at is not None and now >= self.kills_at:
            self.kills_at = None
            self.send_all(signal.SIGKILL)
        if self.begins_at is not None and now >= self.begins_at and self.coming is None:
            self.begin()
        if self.coming is not None and now >= self.coming.born + START:
            self.coming.refused = (f"the new server did not serve within {START:.0f} seconds",)
            self.coming.send(signal.SIGKILL)


@contextmanager
def signals() -> Iterator[socket.socket]:
    """A socket that gets the number of every signal that comes."""
    reads, writes = socket.socketpair()
    reads.setblocking(False)
    writes.setblocking(False)
    before: dict[Any, Any] = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
    wakeup = signal.set_wakeup_fd(writes.fileno(), warn_on_full_buffer=False)
    try:
        yield reads
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        reads.close()
        writes.close()
