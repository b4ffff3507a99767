"""People and an app that use the server while something is done to it, and a book of what it acknowledged."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.torture.house import Browser, House, TurnedAway
from tests.torture.wire import Reply

GUESTS = 12


@dataclass
class Book:
    """What the server has acknowledged."""

    unspent: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)  # asked for, and the answer was cut off by a kill
    alive: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)  # codes whose replay was seen, too
    turned_away: int = 0
    jumps: int = 0  # of the clock: a code may have expired meanwhile
    slowest: float = 0.0


async def guest(house: House, browser: Browser, book: Book, chance: random.Random) -> None:
    """Grant, exchange, now and then replay, for as long as the server lives."""
    while True:
        began = time.monotonic()
        try:
            await visit(house, browser, book, chance)
            book.slowest = max(book.slowest, time.monotonic() - began)
        except TurnedAway as no:
            assert_clean(no.reply)
            book.turned_away += 1
            await asyncio.sleep(0.005)
        except OSError:
            return


async def visit(house: House, browser: Browser, book: Book, chance: random.Random) -> None:
    jumps, code = book.jumps, await house.authorize(browser)
    book.unspent.add(code)
    if chance.random() < 0.2:
        return
    book.unsure.add(code)
    try:
        token = await house.exchange(code)
    except TurnedAway:
        book.unsure.discard(code)
        raise
    book.unspent.discard(code)
    book.unsure.discard(code)
    if token is None:
        assert jumps != book.jumps, "a fresh code was refused"
        return
    if chance.random() < 0.2:
        assert await house.exchange(code) is None, "a spent code was taken again"
        book.dead.append(token)
        book.spent.append(code)
    else:
        book.alive.append(token)


def assert_clean(reply: Reply) -> None:
    """503 in the endpoint's own form."""
    assert reply.status == 503, reply
    assert int(reply.headers["retry-after"]) > 0
    body = reply.json()
    assert body.get("meta", body)["code"] == 503, body


@asynccontextmanager
async def guests(
    house: House, browsers: list[Browser], book: Book, chance: random.Random
) -> AsyncIterator[None]:
    """Load while the context is open; whatever a guest found wrong is raised."""
    some = [asyncio.create_task(guest(house, browsers[i % 4], book, chance)) for i in range(GUESTS)]
    try:
        yield
    finally:
        unasked = book.unsure.copy()
        for one in some:
            one.cancel()
        for end in await asyncio.gather(*some, return_exceptions=True):
            if isinstance(end, Exception):
                raise end
        book.unsure |= unasked
