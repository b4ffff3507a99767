"""Housekeeping removes what is dead, one worker at a time, and writes nothing while there is nothing to do."""

import asyncio
import hashlib
import statistics
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from valetkey.protocol.changes import Once, Save
from valetkey.protocol.model import Ticket
from valetkey.server import housekeeping
from valetkey.server.authorization_server import AuthorizationServer, assemble
from valetkey.server.housekeeping import Pace
from valetkey.settings import Settings
from valetkey.store.base import Unavailable

NOW = 1_700_000_000
END = NOW - housekeeping.SKEW  # what ended by then goes


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
    await litter(server, 2500, END)
    await server.store.apply((Save(Ticket(b"t" * 32, b"s" * 32, b"", END + 1)),))
    night = Night(1000)
    assert await housekeeping.clean(server, "me", Pace(night)) == 2500
    assert len(night.slept) > 3  # a rest behind each batch
    assert await server.store.ticket(b"t" * 32) is not None
    assert await housekeeping.clean(server, "me", Pace(night)) == 0
    await server.close()


async def test_what_is_fresh_stays_when_the_clock_is_set_back_meanwhile(url: str) -> None:
    times = [NOW]
    server = await opened(url, lambda: times[-1])
    await litter(server, 300, NOW - 9000)

    async def set_back(seconds: float) -> None:
        times.append(NOW - 7200)
        assert len(times) < 60, "it goes on and on"
        await server.store.apply((Save(Ticket(b"%032d" % len(times), b"s" * 32, b"", times[-1] + 600)),))

    assert await housekeeping.clean(server, "me", Pace(set_back)) == 300
    assert len(times) > 2
    for turn in range(2, len(times) + 1):
        assert await server.store.ticket(b"%032d" % turn) is not None
    await server.close()


class Busy:
    """Rows that take their time, and a clock that only they move."""

    def __init__(self, seconds_a_row: float, waiting: float = 0.0) -> None:
        self.each, self.waiting, self.at = seconds_a_row, waiting, 100.0
        self.batches, self.rests = list[int](), list[float]()

    async def sleep(self, seconds: float) -> None:
        self.rests.append(seconds)

    async def work(self, rows: int) -> int:
        self.batches.append(rows)
        self.at += self.took(rows)
        return rows

    def took(self, rows: int) -> float:
        return self.waiting + rows * self.each

    async def days(self, batches: int) -> None:
        pace = Pace(self.sleep, lambda: self.at)
        for _ in range(batches):
            await pace.step(self.work)


@pytest.mark.parametrize("waiting", [0.0004, 0.005])
async def test_a_batch_takes_hardly_longer_than_any_write_does(waiting: float) -> None:
    """Whether the disk is slow or many write, a request that comes meanwhile waits little longer than for another."""
    busy = Busy(0.00001, waiting)
    await busy.days(200)
    least, took = busy.took(housekeeping.FEWEST), [busy.took(rows) for rows in busy.batches]
    assert set(busy.batches[:: housekeeping.PROBE_EVERY]) == {housekeeping.FEWEST}
    assert max(took) - least <= (most := least / housekeeping.SHARE) * 3 / 2
    assert max(took[100:]) - least >= most * 7 / 8
    assert busy.rests == pytest.approx([min(housekeeping.REST * it, housekeeping.LONGEST) for it in took])


async def test_a_slow_first_batch_makes_none_of_the_others_large() -> None:
    """It prepares statements, and a disk may sleep."""
    busy = Busy(0.00001, waiting=0.05)
    pace = Pace(busy.sleep, lambda: busy.at)
    for _ in range(50):
        await pace.step(busy.work)
        busy.waiting = 0.0005
    assert max(busy.batches) <= 4 * housekeeping.FEWEST


async def test_however_long_a_write_takes_rows_add_no_more_than_a_few_milliseconds() -> None:
    busy = Busy(0.00001, waiting=1.0)
    await busy.days(400)
    added = (max(busy.batches[200:]) - housekeeping.FEWEST) * busy.each
    assert housekeeping.MOST_LONGER * 7 / 8 <= added <= housekeeping.MOST_LONGER * 3 / 2


async def test_when_all_become_busy_it_does_more_at_once_and_when_they_are_done_less() -> None:
    busy = Busy(0.00001, waiting=0.0005)
    pace = Pace(busy.sleep, lambda: busy.at)
    largest = []
    for busy.waiting in (0.0005, 0.005, 0.0005):
        for _ in range(300):
            await pace.step(busy.work)
        largest.append(max(busy.batches[-50:]))
    assert abs(largest[0] - largest[2]) < 10 and largest[1] > 4 * max(largest[0], largest[2])


async def test_where_times_vary_more_than_rows_make_them_it_does_not_starve() -> None:
    """As among many on few cores: half of the batches of any size take longer than the smallest do on average."""
    busy, turn = Busy(0.00002), 0

    async def varied(rows: int) -> int:
        nonlocal turn
        turn += 1
        busy.waiting = (0.01, 0.05, 0.02, 0.04, 0.03)[turn % 5]
        return await busy.work(rows)

    pace = Pace(busy.sleep, lambda: busy.at)
    for _ in range(400):
        await pace.step(varied)
    assert statistics.mean(busy.batches[200:]) > 20 * housekeeping.FEWEST


async def test_where_a_row_takes_longer_than_the_rest_it_does_the_least() -> None:
    busy = Busy(0.001, waiting=0.0001)
    await busy.days(100)
    assert max(busy.batches[50:]) <= housekeeping.FEWEST * 2


async def test_no_rest_is_without_end() -> None:
    busy = Busy(0.00005, waiting=1.0)
    await busy.days(3)
    assert busy.rests == [housekeeping.LONGEST] * 3


async def test_where_rows_cost_next_to_nothing_a_batch_has_an_end() -> None:
    busy = Busy(1e-9, waiting=0.001)
    await busy.days(100)
    assert max(busy.batches) == housekeeping.MOST


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
    await litter(server, 100, END)
    assert await server.store.lease("housekeeping", "the other", NOW, housekeeping.LEASE)
    assert await housekeeping.clean(server, "me", Pace(no_time)) == housekeeping.PROBE
    assert await housekeeping.clean(server, "the other", Pace(no_time)) == 100 - housekeeping.PROBE
    await server.close()


async def test_who_was_refused_the_work_has_nothing_to_give_back(monkeypatch: pytest.MonkeyPatch) -> None:
    server = await opened("memory://")
    asked: list[int] = []

    async def refused(name: str, holder: str, now: int, seconds: int) -> bool:
        asked.append(seconds)
        return False

    monkeypatch.setattr(server.store, "lease", refused)
    await litter(server, 50, END)
    assert await housekeeping.clean(server, "me", Pace(no_time)) == housekeeping.PROBE
    assert asked == [housekeeping.LEASE]
    await server.close()


async def test_a_worker_that_dies_leaves_the_work_to_others(fresh_sqlite: Path) -> None:
    at = [NOW]
    server = await opened(f"sqlite:///{fresh_sqlite}", lambda: at[0])
    await litter(server, 100, END)
    assert await server.store.lease("housekeeping", "the dead", NOW, housekeeping.LEASE)
    at[0] += housekeeping.LEASE
    assert await housekeeping.clean(server, "me", Pace(no_time)) == 100
    await server.close()


@pytest.mark.parametrize("naps", [0, 99])
async def test_a_worker_that_stops_or_is_done_lets_others_go_on(url: str, naps: int) -> None:
    server = await opened(url)
    await litter(server, 500, END)
    with suppress(asyncio.CancelledError):
        await housekeeping.clean(server, "me", Pace(Night(naps)))
    assert await server.store.lease("housekeeping", "the other", NOW, housekeeping.LEASE)
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
    await litter(server, 20, END)
    cleaned = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if seconds == housekeeping.EVERY:
            cleaned.set()
            await asyncio.Event().wait()

    before = keeping_house()
    async with housekeeping.running(server, sleep):
        await asyncio.wait_for(cleaned.wait(), 5)
        assert await server.store.clean(END, 100) == 0
        assert len(keeping_house() - before) == 1
    assert keeping_house() <= before
    await server.close()
