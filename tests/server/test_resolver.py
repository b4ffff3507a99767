"""Names that do not answer hold a few threads for as long as the machine takes, and nobody else for long (L4)."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from valetkey.server.fetch import FetchFailed
from valetkey.server.resolver import MOST, PATIENCE, Resolver

SOON = 0.05


class NameServer:
    """Answers at once, but keeps whoever asks for a name with `slow` in it until it is told to let go."""

    def __init__(self) -> None:
        self.let_go, self.held = threading.Event(), threading.Semaphore(0)
        self.asked: Counter[str] = Counter()

    def __call__(self, host: str, port: int, *, type: int) -> list[Any]:
        assert (port, type) == (443, socket.SOCK_STREAM)
        self.asked[host] += 1
        if "slow" in host:
            self.held.release()
            self.let_go.wait(10)
        if "nowhere" in host:
            raise socket.gaierror("no such name")
        return [(2, 1, 6, "", ("192.0.2.1", port)), (10, 1, 6, "", ("2001:db8::1", port, 0, 0))]


@pytest.fixture
def names() -> Iterator[NameServer]:
    made = NameServer()
    yield made
    made.let_go.set()


async def slow(resolver: Resolver, host: str) -> bool:
    with pytest.raises(FetchFailed) as caught:
        await resolver(host, 443)
    return caught.value.reason == "name_slow"


async def test_a_name_and_its_addresses(names: NameServer) -> None:
    resolver = Resolver(names)
    assert await resolver("a.example", 443) == ["192.0.2.1", "2001:db8::1"]
    with pytest.raises(OSError, match="no such name"):
        await resolver("nowhere.example", 443)
    assert not resolver.under_way


async def test_who_asks_for_a_name_that_hangs_is_told_in_time(names: NameServer) -> None:
    resolver = Resolver(names, most=2, patience=SOON)
    began = time.monotonic()
    assert await slow(resolver, "slow.example")
    assert time.monotonic() - began < 5
    assert await resolver("a.example", 443), "there is a thread left"


async def test_one_name_holds_one_thread_however_many_ask(names: NameServer) -> None:
    resolver = Resolver(names, most=2, patience=SOON)
    for _ in range(3):
        assert all(await asyncio.gather(*(slow(resolver, "slow.example") for _ in range(20))))
    assert names.asked == {"slow.example": 1}
    assert await resolver("a.example", 443)
    names.let_go.set()
    await asyncio.wait(resolver.under_way.values())
    assert await resolver("slow.example", 443), "it answers by now"


async def test_who_finds_no_thread_free_waits_no_longer_and_leaves_nothing_behind(names: NameServer) -> None:
    resolver = Resolver(names, most=2, patience=SOON)
    many = [f"slow{turn}.example" for turn in range(10)]
    assert all(await asyncio.gather(*(slow(resolver, host) for host in many)))
    assert await slow(resolver, "a.example")
    assert len(names.asked) == 2
    names.let_go.set()
    await asyncio.wait(resolver.under_way.values())
    assert await resolver("a.example", 443)
    assert len(names.asked) == 3, "nobody asks for names that nobody waits for any more"


async def test_a_busy_moment_is_waited_for(names: NameServer) -> None:
    resolver = Resolver(names, most=1)
    first = asyncio.create_task(resolver("slow.example", 443))
    await asyncio.to_thread(names.held.acquire, timeout=10)
    second = asyncio.create_task(resolver("a.example", 443))
    await asyncio.sleep(0)
    names.let_go.set()
    assert await first == await second


async def test_who_goes_away_takes_the_answer_from_nobody(names: NameServer) -> None:
    resolver = Resolver(names)
    gone, stays = (asyncio.create_task(resolver("slow.example", 443)) for _ in range(2))
    await asyncio.to_thread(names.held.acquire, timeout=10)
    gone.cancel()
    names.let_go.set()
    assert await stays and gone.cancelled()


def test_R20_the_numbers() -> None:
    assert (MOST, PATIENCE) == (8, 3.0)
