"""Several processes on one listening socket: one that dies is replaced, all leave together."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from valetkey.cli.accepting import NOBODY, Shares
from valetkey.cli.serving import Patience
from valetkey.cli.succession import AGAIN, GRACE, LEAVE, TOO_SOON

HOPELESS = 5.0  # a worker that cannot start while we are that young will never start
CANNOT_START = 3  # uvicorn's exit code for that
WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, LEAVE)
LOOKS = 1.0  # seconds after which we look whether our own parent lives
log = structlog.get_logger("valetkey.workers")


class Workers:
    """Forks, before anything is opened, and then only waits for signals."""

    def __init__(
        self, count: int, serve: Callable[[int], int], at_end: Callable[[], None], patience: Patience
    ) -> None:
        self.count, self.serve, self.at_end, self.patience = count, serve, at_end, patience
        self.parent = os.getppid()
        self.born: dict[int, float] = {}
        self.shares = Shares(count)
        self.places: dict[int, int] = {}  # which share is whose
        self.place = 0
        self.began = time.monotonic()
        self.ending = False
        self.due: float | None = None  # when who is missing starts; at the end, when who stays is killed
        self.code = 0

    def run(self) -> int:
        """Keep `count` workers alive until a signal; returns the exit code."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # one that is ignored need not be kept for us
        try:
            self.fill()
            while self.born or not self.ending:
                came = signal.sigtimedwait(WATCHED, self.time_left())
                if came is not None and came.si_signo in WATCHED:  # Python makes one up after a pause
                    self.obey(came.si_signo)
                elif os.getppid() != self.parent and not self.ending:
                    log.warning("parent_gone")
                    self.end(signal.SIGTERM)
                self.look_at_clock()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return self.code

    def obey(self, number: int) -> None:
        """A signal came."""
        if number == signal.SIGCHLD:
            self.bury()
        elif number == signal.SIGINT and self.ending:
            self.end(signal.SIGKILL)
        else:
            self.end(LEAVE if number == LEAVE else signal.SIGTERM)

    def time_left(self) -> float:
        """Seconds until the clock has something to say."""
        return LOOKS if self.due is None else max(0.0, min(LOOKS, self.due - time.monotonic()))

    def look_at_clock(self) -> None:
        """Something may be due."""
        if self.due is not None and time.monotonic() >= self.due:
            self.due = None
            self.end(signal.SIGKILL) if self.ending else self.fill()

    def fill(self) -> None:
        """Start the workers that are missing."""
        while len(self.born) < self.count:
            parent = os.getpid()
            self.place = min(set(range(self.count)) - set(self.places.values()))
            pid = os.fork()
            if pid == 0:
                self.be_worker(parent)
            self.born[pid], self.places[pid] = time.monotonic(), self.place
            log.debug("worker_started", pid=pid)

    def be_worker(self, parent: int) -> None:
        """In the new process: serve, and never return."""
        code = 1
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
            code = self.serve(parent)
        except BaseException:
            log.exception("worker_failed")
        finally:
            os._exit(code)

    def bury(self) -> None:
        """Workers have ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            lived = time.monotonic() - self.born.pop(pid, 0.0)
            self.shares.note(self.places.pop(pid), NOBODY)
            if not self.ending:
                self.mourn(pid, os.waitstatus_to_exitcode(status), lived)

    def mourn(self, pid: int, code: int, lived: float) -> None:
        """A worker ended that should not have."""
        log.error("worker_died", pid=pid, exit_code=code, lived=round(lived, 1))
        if code == CANNOT_START and time.monotonic() - self.began < HOPELESS:
            self.code = 1
            self.end(signal.SIGTERM)
        elif lived < TOO_SOON:
            self.due = time.monotonic() + AGAIN
        else:
            self.fill()

    def end(self, number: signal.Signals) -> None:
        """Tell all workers to end; those that do not are killed later."""
        if not self.ending:
            self.ending = True
            self.at_end()
            stay = self.patience.idle if number == LEAVE else self.patience.drain
            self.due = time.monotonic() + stay + GRACE + 10
        for pid in self.born:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
