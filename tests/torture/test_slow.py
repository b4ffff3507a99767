"""A thousand connections that take their time: nobody else waits for them, and they are shown the door in time.

Some send a head or a body drop by drop, some never read their answer, some say nothing at all; none leaves by itself.
"""

import asyncio
import resource
import socket
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.torture import replay
from tests.torture.house import Browser, House
from tests.torture.wire import request
from tests.waiting import becomes

pytestmark = pytest.mark.torture
ANSWERED_WITHIN = 2.0  # seconds, for everybody else
HEAD = b"GET /v1/users/self HTTP/1.1\r\nHost: valetkey.test\r\nX-Slow: "
BODY = b"POST /oauth/token HTTP/1.1\r\nHost: valetkey.test\r\nContent-Length: 60000\r\n\r\ncode="
UNREAD = request("/static/pages.css") * 60
OTHERS = 8
T = TypeVar("T")


class Slow(asyncio.Protocol):
    """One of them. `drops`: how it goes on after its first words."""

    def __init__(self, first: bytes, drops: bytes, reads: bool) -> None:
        self.first, self.drops, self.reads = first, drops, reads
        self.transport: asyncio.Transport | None = None
        self.told, self.gone = b"", asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if not self.reads:  # a turn later: the asyncio of 3.11.2 begins to read behind this call
            asyncio.get_running_loop().call_soon(transport.pause_reading)
        transport.write(self.first)

    def data_received(self, data: bytes) -> None:
        self.told += data

    def eof_received(self) -> bool:
        return True  # it stays, although it was told to go

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()

    def drip(self) -> None:
        if self.transport is not None and self.drops and not self.transport.is_closing():
            self.transport.write(self.drops)


KINDS = 4 * [(HEAD, b"x", True), (BODY, b"y", True)] + [(b"", b"", True), (UNREAD, b"", False)]


@contextmanager
def many_files(count: int) -> Iterator[None]:
    """This process may have so many sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count, hard)), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def somebody_else(house: House, browser: Browser, slowest: list[float]) -> None:
    """Logs in to an app and uses it, again and again, each time on new connections."""
    while True:
        code = await timed(house.authorize(browser), slowest)
        token = await timed(house.exchange(code), slowest)
        assert token is not None
        assert await timed(house.lives(token), slowest)
        assert await timed(house.healthy(), slowest)
        await asyncio.sleep(0.02)


async def timed(act: Awaitable[T], slowest: list[float]) -> T:
    began = time.monotonic()
    answer = await act
    slowest.append(time.monotonic() - began)
    return answer


async def besiege(house: House, count: int) -> list[Slow]:
    """So many slow connections, of each kind as many."""
    loop, made = asyncio.get_running_loop(), []
    for number in range(count):
        slow = Slow(*KINDS[number % len(KINDS)])
        mouth = socket.socket()
        mouth.setblocking(False)
        mouth.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # little goes in before it is read
        mouth.bind((f"127.0.2.{number % 250 + 1}", 0))
        await loop.sock_connect(mouth, ("127.0.0.1", house.port))
        await loop.create_connection(lambda it=slow: it, sock=mouth)
        made.append(slow)
    return made


async def drip(everyone: list[Slow]) -> None:
    """Each gets a drop about once a second."""
    while True:
        for first in range(20):
            for slow in everyone[first::20]:
                slow.drip()
            await asyncio.sleep(0.05)


async def siege(house: House, browsers: list[Browser], count: int, gone_within: float) -> None:
    slowest = [0.0]
    others = [asyncio.create_task(somebody_else(house, browsers[i], slowest)) for i in range(2)]
    everyone = await besiege(house, count)
    came, dripping = time.monotonic(), asyncio.create_task(drip(everyone))
    try:
        await becomes(lambda: house.spread()[0] > count * 0.95, f"{count} connections are there", 10, 0.05)
        await becomes(
            lambda: house.spread()[0] <= OTHERS, "they are gone", came + gone_within - time.monotonic()
        )
    finally:
        print(
            f"{count} slow connections, {house.spread()[0]} are there {time.monotonic() - came:.1f} s after the last "
            f"came; {len(slowest)} answers to others, the slowest after {max(slowest):.2f} s"
        )
        for task in (dripping, *others):
            task.cancel()
        ends = await asyncio.gather(dripping, *others, return_exceptions=True)
        for slow in everyone:
            if slow.transport is not None:
                slow.transport.abort()
        await asyncio.gather(*(slow.gone.wait() for slow in everyone))
    assert [end for end in ends if not isinstance(end, asyncio.CancelledError)] == []
    assert max(slowest) < ANSWERED_WITHIN
    for slow in everyone:
        assert slow.told.startswith(b"HTTP/1.1 408 ") == bool(slow.drops), slow.told
        assert slow.reads or not slow.told, "this one was to read nothing"


async def test_slow_connections_hold_up_nobody(tmp_path: Path, long_torture: bool):
    replay.chance(long_torture)
    short = {"HEAD_DEADLINE": "3", "BODY_DEADLINE": "3", "IDLE_DEADLINE": "3"}
    said = {} if long_torture else short
    environment = {f"VALETKEY_SERVER_{name}": value for name, value in said.items()}
    environment["VALETKEY_SERVER_CONNECTIONS_PER_ADDRESS"] = "5000"
    house = House(f"sqlite:///{tmp_path}/slow.db", tmp_path / "log", 1, environment)
    with many_files(4000):
        async with house.standing() as browsers:
            await siege(house, browsers, 1000 if long_torture else 300, 20 if long_torture else 9)
