"""Who is alone waits for nobody; after a batch of several the next one waits for as many, but not for long."""

import asyncio

import pytest

from valetkey.store.gathering import Gathering


class Batches:
    """Takes whatever waits when it is told to start."""

    def __init__(self) -> None:
        self.waiting = 0
        self.gone: list[int] = []
        self.gathering = Gathering(self.start, lambda: self.waiting)

    def ask(self, many: int = 1) -> None:
        self.waiting += many
        self.gathering.arm()

    def start(self) -> None:
        self.gone.append(self.waiting)
        self.gathering.took(self.waiting)
        self.waiting = 0

    async def turns_until_gone(self, batches: int) -> int:
        """How many turns of the loop pass until so many batches have gone."""
        turns = 0
        while len(self.gone) < batches:
            await asyncio.sleep(0)
            turns += 1
            assert turns < 20
        return turns


async def test_who_is_alone_goes_with_whoever_asks_in_the_same_turn() -> None:
    batches = Batches()
    batches.ask()
    batches.ask(2)
    assert batches.gone == []
    assert await batches.turns_until_gone(1) == 1
    assert batches.gone == [3]


@pytest.mark.parametrize("before", [1, 2, 3])
async def test_after_few_nobody_waits(before: int) -> None:
    batches = Batches()
    batches.ask(before)
    await batches.turns_until_gone(1)
    batches.ask()
    assert await batches.turns_until_gone(2) == 1


async def test_after_several_the_next_one_waits_for_as_many() -> None:
    batches = Batches()
    batches.ask(8)
    await batches.turns_until_gone(1)
    batches.ask(3)
    await asyncio.sleep(0)
    batches.ask(5)
    assert await batches.turns_until_gone(2) == 1
    assert batches.gone == [8, 8]


async def test_it_waits_a_few_turns_and_no_more() -> None:
    batches = Batches()
    batches.ask(8)
    await batches.turns_until_gone(1)
    batches.ask()
    assert await batches.turns_until_gone(2) == 4
    batches.ask()
    assert await batches.turns_until_gone(3) == 1  # for it was alone
    assert batches.gone == [8, 1, 1]
