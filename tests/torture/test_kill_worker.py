"""kill -9 of one worker after the other under load: no connection of another worker notices, and it is back in 3 s."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.serving import leaves, ports_of
from tests.torture import replay
from tests.torture.house import House
from tests.torture.wire import Line, request
from tests.waiting import becomes

pytestmark = pytest.mark.torture
CONNECTIONS = 16
BACK = 3.0


class Caller:
    """A connection that asks and asks; `ended` says how it ended."""

    def __init__(self, house: House, token: str) -> None:
        self.house, self.token, self.answers = house, token, 0
        self.ended: Exception | None = None

    async def call(self) -> "Caller":
        self.line = await Line(self.house.port).__aenter__()
        assert self.line.transport is not None
        self.port = self.line.transport.get_extra_info("sockname")[1]
        await self.ask()
        self.task = asyncio.create_task(self.go_on())
        return self

    async def ask(self) -> None:
        reply = await self.line.send(request(f"/v1/users/self?access_token={self.token}"))
        assert reply.status == 200, reply
        self.answers += 1

    async def go_on(self) -> None:
        try:
            while True:
                await self.ask()
        except (OSError, AssertionError) as error:
            self.ended = error

    async def hang_up(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        self.line.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def house(request: Any, tmp_path: Path) -> AsyncIterator[House]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/w.db" if sqlite else request.getfixturevalue("fresh_postgres")
    made = House(url, tmp_path / "log", 2)
    async with made.standing() as made.people:
        yield made


def workers_of(house: House) -> set[int]:
    assert house.process is not None
    return leaves(house.process.pid)


async def replacement(house: House, token: str, known: set[int]) -> None:
    """Call until a new worker has answered."""
    while True:
        caller = await Caller(house, token).call()
        new = workers_of(house) - known
        serves = any(caller.port in ports_of(pid, house.port) for pid in new)
        await caller.hang_up()
        if serves:
            return


async def test_one_worker_after_the_other(house: House, long_torture: bool) -> None:
    chance = replay.chance(long_torture)
    token = await house.exchange(await house.authorize(house.people[1])) or ""
    await becomes(lambda: len(workers_of(house)) == 2)
    for _ in range(100 if long_torture else 3):
        callers = await asyncio.gather(*(Caller(house, token).call() for _ in range(CONNECTIONS)))
        known = workers_of(house)
        victim = chance.choice(sorted(known))
        theirs = ports_of(victim, house.port)
        others = {one: one.answers for one in callers if one.port not in theirs}
        os.kill(victim, signal.SIGKILL)
        killed = time.monotonic()
        await replacement(house, token, known)
        assert time.monotonic() - killed < BACK, "the worker was not back in time"
        for one, before in others.items():
            assert one.ended is None, f"a connection of another worker ended: {one.ended!r}"
            assert one.answers > before, "the other worker stood still"
        for one in callers:
            assert one in others or isinstance(one.ended, OSError | EOFError)
            await one.hang_up()
