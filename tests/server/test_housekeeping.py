"""Housekeeping removes what is dead, one worker at a time, and writes nothing while there is nothing to do."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from valetkey.protocol.changes import Once, Save
from valetkey.protocol.model import Ticket
from valetkey.server import housekeeping
from valetkey.server.authorization_server import AuthorizationServer, assemble
from valetkey.settings import Settings
from valetkey.store.base import Unavailable

NOW = 1_700_000_000


class Night:
    """A sleep that takes no time and ends the world after so many naps."""

    def __init__(self, naps: int) -> None:
        self.left, self.slept = naps, list[float]()

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.left -= 1
        if self.left < 0:
            raise asyncio.CancelledError
        await asyncio.sleep(0)


async def opened(url: str, clock: Callable[[], int] = lambda: NOW) -> AuthorizationServer:
    server = assemble(Settings(database=url), clock=clock, entropy=lambda n: b"\x80" * n)
    await server.open()
    return server


async def litter(server: AuthorizationServer, count: int, until: int) -> None:
    """Leave rows that are dead at `until`."""
    for first in range(0, count, 500):
        await server.store.apply(tuple(Once(b"%d" % n, until) for n in range(first, min(count, first + 500))))


async def no_time(seconds: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture(params=["memory", "sqlite"])
def url(request: pytest.FixtureRequest, fresh_sqlite: Path) -> str:
    return "memory://" if request.param == "memory" else f"sqlite:///{fresh_sqlite}"


async def test_everything_that_is_dead_goes_in_batches(url: str) -> None:
    server = await opened(url)
    await litter(server, 2500, NOW - housekeeping.SKEW)
    await server.store.apply((Save(Ticket(b"t" * 32, b"s" * 32, b"", NOW + 1 - housekeeping.SKEW)),))
    night = Night(1000)
    assert await housekeeping.clean(server, "me", night) == 2500
    assert len(night.slept) == 3 and set(night.slept) == {housekeeping.PAUSE}
    assert await server.store.ticket(b"t" * 32) is not None
    assert await housekeeping.clean(server, "me", night) == 0
    await server.close()


async def test_nothing_is_written_while_there_is_nothing_to_do(fresh_sqlite: Path) -> None:
    server = await opened(f"sqlite:///{fresh_sqlite}")
    await litter(server, 5, NOW + 1000)
    before = contents(fresh_sqlite)
    with pytest.raises(asyncio.CancelledError):
        await housekeeping.run(server, Night(20))
    assert contents(fresh_sqlite) == before
    await server.close()


def contents(file: Path) -> list[tuple[int, str]]:
    """The database and its log, as they are on disk."""
    files = [file, file.with_name(file.name + "-wal")]
    return [(one.stat().st_mtime_ns, hashlib.sha256(one.read_bytes()).hexdigest()) for one in files]


async def test_one_worker_at_a_time(url: str) -> None:
    """Another one that finds work too removes no more than its probe."""
    server = await opened(url)
    await litter(server, 100, NOW - housekeeping.SKEW)
    assert await server.store.lease("housekeeping", "the other", NOW, housekeeping.LEASE)
    assert await housekeeping.clean(server, "me", no_time) == housekeeping.PROBE
    assert await housekeeping.clean(server, "the other", no_time) == 100 - housekeeping.PROBE
    await server.close()


async def test_a_worker_that_dies_leaves_the_work_to_others(fresh_sqlite: Path) -> None:
    at = [NOW]
    server = await opened(f"sqlite:///{fresh_sqlite}", lambda: at[0])
    await litter(server, 100, NOW - housekeeping.SKEW)
    assert await server.store.lease("housekeeping", "the dead", NOW, housekeeping.LEASE)
    at[0] += housekeeping.LEASE
    assert await housekeeping.clean(server, "me", no_time) == 100
    await server.close()


async def test_it_looks_every_half_a_minute() -> None:
    server = await opened("memory://")
    night = Night(4)
    with pytest.raises(asyncio.CancelledError):
        await housekeeping.run(server, night)
    assert night.slept == [housekeeping.EVERY / 2, *[housekeeping.EVERY] * 4]  # half: our randomness is 0x80
    await server.close()


@pytest.mark.parametrize("trouble", [Unavailable("disk full"), RuntimeError("a bug")])
async def test_trouble_does_not_end_it(monkeypatch: pytest.MonkeyPatch, trouble: Exception) -> None:
    server = await opened("memory://")
    calls = 0

    async def clean(now: int, limit: int) -> int:
        nonlocal calls
        calls += 1
        raise trouble

    monkeypatch.setattr(server.store, "clean", clean)
    with pytest.raises(asyncio.CancelledError):
        await housekeeping.run(server, Night(3))
    assert calls == 3
    await server.close()


def keeping_house() -> set[asyncio.Task[object]]:
    return {task for task in asyncio.all_tasks() if task.get_name() == "valetkey-housekeeping"}


async def test_it_runs_beside_the_app_and_ends_with_it() -> None:
    server = await opened("memory://")
    await litter(server, 20, NOW - housekeeping.SKEW)
    cleaned = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if seconds == housekeeping.EVERY:
            cleaned.set()
            await asyncio.Event().wait()

    before = keeping_house()
    async with housekeeping.running(server, sleep):
        await asyncio.wait_for(cleaned.wait(), 5)
        assert await server.store.clean(NOW, 100) == 0
        assert len(keeping_house() - before) == 1
    assert keeping_house() <= before
    await server.close()
