"""Fifty ask for the same code at once, over kept connections to four workers: one gets a token, and all see the replay.

Every round has its own codes, sixteen races at a time, so that workers decide about many codes in one transaction.
"""

import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from tests.torture import replay
from tests.torture.house import Browser, House

pytestmark = pytest.mark.torture
RUNNERS = 50
AT_ONCE = 16
LINES = 128


async def race(house: House, browser: Browser) -> str:
    """One code, fifty redemptions, one winner; returns the winner's token."""
    code = await house.authorize(browser)
    answers = await asyncio.gather(*(house.exchange(code) for _ in range(RUNNERS)))
    winners = [token for token in answers if token is not None]
    assert len(winners) == 1, f"{len(winners)} tokens for one code"
    return winners[0]


async def races(house: House, browsers: list[Browser], count: int) -> None:
    """So many races; afterwards nobody has a token, for every code was replayed."""
    await house.connect(LINES)
    assert min(house.spread()) > 0, f"a worker takes no part: {house.spread()}"
    began, numbers, tokens = time.monotonic(), itertools.count(), []

    async def some() -> None:
        while (number := next(numbers)) < count:
            tokens.append(await race(house, browsers[number % len(browsers)]))

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    took, asked = time.monotonic() - began, count * RUNNERS
    print(
        f"{len(tokens)} winners of {count} codes, {asked} redemptions in {took:.1f} s, workers {house.spread()}"
    )
    assert len(set(tokens)) == count
    living = await asyncio.gather(*(house.lives(token) for token in tokens))
    assert not any(living), f"{sum(living)} tokens live although their codes were replayed"


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_a_code_has_one_winner(request: Any, engine: str, tmp_path: Path, long_torture: bool):
    url = f"sqlite:///{tmp_path}/w.db" if engine == "sqlite" else request.getfixturevalue("fresh_postgres")
    replay.chance(long_torture)
    house = House(url, tmp_path / "log", 4)
    async with house.standing() as browsers:
        await races(house, browsers, 1000 if long_torture else 60)
    assert "Traceback" not in house.said(), house.said()
