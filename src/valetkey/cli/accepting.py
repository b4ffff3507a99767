"""Accepting fairly: the workers on one socket see in shared memory how many connections each of them has."""

import asyncio
import mmap
import socket
import struct
from collections.abc import Callable, Sized
from contextlib import suppress

NOBODY = -1
SLACK = 1  # connections that one worker may have more than another
WAITS = 0.001  # seconds between looks while who has fewer may accept
STUCK = 0.03  # seconds after which those do not seem to
FREELY = 0.05  # seconds then without waiting for them
FULL = 1.0  # seconds to wait when no file descriptor is left


class Shares:
    """How many connections each worker has; made before the fork, a place for each."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.memory = mmap.mmap(-1, 4 * workers)
        for place in range(workers):
            self.note(place, NOBODY)

    def note(self, place: int, connections: int) -> None:
        """So many are here."""
        struct.pack_into("i", self.memory, 4 * place, connections)

    def others(self, place: int) -> list[int]:
        """What the others have that serve and stay."""
        counts = struct.unpack_from(f"{self.workers}i", self.memory)
        return [count for other, count in enumerate(counts) if other != place and count != NOBODY]


class Accepting:
    """In the place of asyncio's own server, for one worker: accepts, unless another one has fewer connections."""

    def __init__(
        self,
        listening: socket.socket,
        make: Callable[[], asyncio.Protocol],
        here: Sized,
        share: tuple[Shares, int],
    ) -> None:
        self.listening, self.make, self.here, (self.shares, self.place) = listening, make, here, share
        self.loop = asyncio.get_running_loop()
        self.coming: set[asyncio.Task[None]] = set()
        self.serving, self.leaving = True, False
        self.since = self.freely_until = 0.0
        self.waiting: asyncio.TimerHandle | None = None
        self.note()
        self.loop.add_reader(listening, self.come)

    def note(self) -> int:
        """Let the others know how many are here, or that we do not stay."""
        count = len(self.here) + len(self.coming)
        self.shares.note(self.place, NOBODY if self.leaving else count)
        return count

    def come(self) -> None:
        """Somebody is at the door."""
        self.since = self.loop.time()
        if self.has_more() and self.since > self.freely_until:
            self.wait(WAITS)
        else:
            self.accept()

    def has_more(self) -> bool:
        """Whether another one that serves has fewer connections."""
        others = self.shares.others(self.place)
        return bool(others) and self.note() > min(others) + SLACK

    def wait(self, seconds: float) -> None:
        """Look away for a moment."""
        self.loop.remove_reader(self.listening)
        self.waiting = self.loop.call_later(seconds, self.look_again)

    def look_again(self) -> None:
        """Whoever is still there after a while is ours: the others are stuck, and we stop waiting for a time."""
        now, more = self.loop.time(), self.has_more()
        if more and now - self.since < STUCK:
            return self.wait(WAITS)
        self.loop.add_reader(self.listening, self.come)
        if self.accept() and more:
            self.freely_until = now + FREELY

    def accept(self) -> bool:
        """Take one connection out of the queue, if there is one."""
        try:
            taken, _ = self.listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False
        except OSError:
            self.wait(FULL)
            return False
        task = self.loop.create_task(self.take(taken))
        self.coming.add(task)
        task.add_done_callback(self.coming.discard)
        self.note()
        return True

    async def take(self, taken: socket.socket) -> None:
        """Make a connection of it."""
        taken.setblocking(False)
        with suppress(OSError):  # it has gone already
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self.loop.connect_accepted_socket(self.make, taken)

    def is_serving(self) -> bool:
        """Whether connections are accepted."""
        return self.serving

    def close(self) -> None:
        """Accept no more."""
        if self.serving:
            self.serving = False
            if self.waiting is not None:
                self.waiting.cancel()
            self.loop.remove_reader(self.listening)
            self.shares.note(self.place, NOBODY)

    async def wait_closed(self) -> None:
        """Nothing is to be waited for: uvicorn asks who is connected."""
