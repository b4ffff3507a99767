"""The wall clock jumps an hour forward and back under load: no 500, no hang; what is spent and revoked stays so.

Only calendar time jumps (faults.c): deadlines and timers must not notice. A code lives ten minutes by the clock as it
is, and whoever was locked out while the clock was wrong is not locked out for longer than usual.
"""

import asyncio
import random
from pathlib import Path

import pytest

from tests.torture import replay
from tests.torture.faults import Faults
from tests.torture.guests import Book, guests
from tests.torture.house import Browser, House
from tests.waiting import becomes

pytestmark = pytest.mark.torture
HOUR = 3600
SHORT = [HOUR, 0, -HOUR, 0, 5, -5, 12 * HOUR, 0]
NO_HANG = 5.0  # seconds for a grant and its exchange


async def jump(house: House, browsers: list[Browser], faults: Faults, book: Book, to: int) -> None:
    """Set the clock while guests are there, and look at what they were promised."""
    waiting = await house.authorize(browsers[5])
    ahead = faults.ahead
    book.jumps += 1
    faults.shift(to)
    enough = len(book.alive) + 20
    await becomes(lambda: len(book.alive) > enough, "twenty tokens after the jump", 20)
    token = await house.exchange(waiting)
    assert (token is None) == (to - ahead >= 600), f"a code that waited, {to - ahead} s later: {token}"
    for alive in book.alive[-10:]:
        assert await house.lives(alive), "a token ended because the clock jumped"
    for dead in book.dead[-10:]:
        assert not await house.lives(dead), "a revoked token lives again"
    for code in book.spent[-10:]:
        assert await house.exchange(code) is None, "a spent code is good again"


async def locked_out_for_no_longer(house: House, faults: Faults) -> None:
    """Somebody guesses while the clock is an hour ahead; it is set right, and the owner logs in."""
    faults.shift(HOUR)
    answers = await asyncio.gather(*(house.log_in("person6", "wrong password") for _ in range(20)))
    assert 429 in answers
    assert await house.log_in("person6", "correct horse") == 429
    faults.shift(0)
    assert await house.log_in("person6", "correct horse") == 429
    faults.shift(house.settings.login.window + 1)
    assert await house.log_in("person6", "correct horse") == 303
    faults.shift(0)


async def campaign(house: House, faults: Faults, chance: random.Random, jumps: list[int]) -> None:
    browsers, book = await house.furnish(), Book()
    try:
        await house.start()
        async with guests(house, browsers, book, chance):
            for to in jumps:
                await jump(house, browsers, faults, book, to)
        await locked_out_for_no_longer(house, faults)
    finally:
        house.kill()
        print(
            f"{len(jumps)} jumps, {len(book.alive)} tokens, {len(book.dead)} revoked, slowest {book.slowest:.2f} s"
        )
    assert book.turned_away == 0
    assert book.slowest < NO_HANG
    assert "Traceback" not in house.said(), house.said()


async def test_the_clock_jumps(tmp_path: Path, long_torture: bool):
    chance = replay.chance(long_torture)
    faults = Faults(tmp_path, tmp_path / "nothing")
    house = House(f"sqlite:///{tmp_path}/clock.db", tmp_path / "log", 2, faults.environment)
    jumps = SHORT + [chance.choice([-HOUR, 0, HOUR, 599, 601, -7]) for _ in range(100 if long_torture else 0)]
    await campaign(house, faults, chance, jumps)
