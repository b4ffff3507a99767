"""A disk that fails under a running server: a clean 503 while it lasts, nothing lost, well again without a restart.

Two workers on SQLite are under load while writing, reading or fsync fail and recover (faults.c). A 503 means that
nothing was done: what was turned away can be asked again. After a kill during the fault only what was acknowledged
counts.
"""

import random
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest

from tests.torture import replay
from tests.torture.faults import READS, WRITES, Faults
from tests.torture.guests import Book, assert_clean, guests
from tests.torture.house import REDIRECT, Browser, House, TurnedAway
from tests.torture.wire import Line, Reply, request
from tests.waiting import becomes

pytestmark = pytest.mark.torture
RECOVERS_WITHIN = 5.0  # seconds after the fault


async def answers(house: House, *data: bytes) -> list[Reply]:
    """The answers on a connection of its own."""
    async with Line(house.port) as line:
        return [await line.send(each) for each in data]


async def health(house: House) -> set[int]:
    """What /healthz says on many connections, so that every worker is asked."""
    return {(await answers(house, request("/healthz")))[0].status for _ in range(6)}


async def says_no(house: House, browsers: list[Browser], token: str) -> None:
    """While nothing can be written: a clean 503 to whoever writes, reads go on, and health is told as it is."""
    query = f"client_id={house.app.client.id}&redirect_uri={REDIRECT}&response_type=code"
    authorize, cookie = f"/oauth/authorize?{query}", f"valetkey={browsers[0].cookie}"

    async def pages_too() -> bool:
        page = (await answers(house, request(authorize, None, cookie, "Accept: text/html\r\n")))[0]
        if page.status == 503:
            assert b"<h1" in page.body
            assert page.headers["content-type"].startswith("text/html")
            assert int(page.headers["retry-after"]) > 0
        return page.status == 503

    async def nobody_logs_in() -> bool:
        try:
            return await house.log_in("person7", "correct horse") != 303
        except TurnedAway as no:
            assert_clean(no.reply)
            return True

    async def unwell() -> bool:
        return await health(house) == {503}

    await becomes(pages_too, "a page says 503", 20)
    await becomes(nobody_logs_in, "nobody can log in", 20)
    await becomes(unwell, "/healthz says 503", 20)
    for _ in range(20):
        assert await house.lives(token), "a read failed while only writes do"


async def gets_over(house: House, browsers: list[Browser]) -> None:
    """The fault is gone: everything works again, and says so."""

    async def works() -> bool:
        with suppress(TurnedAway):
            token = await house.exchange(await house.authorize(browsers[0]))
            return token is not None and await house.log_in("person6", "correct horse") == 303
        return False

    async def well() -> bool:
        return await health(house) == {200}

    await becomes(works, "grants and logins work again", RECOVERS_WITHIN)
    await becomes(well, "/healthz says 200", RECOVERS_WITHIN)


async def check(house: House, book: Book) -> int:
    """Nothing acknowledged is lost, nothing refused was half done; returns how many operations were looked at."""
    for token in book.alive:
        assert await house.lives(token), "an acknowledged token is lost"
    for token in book.dead:
        assert not await house.lives(token), "a revoked token lives"
    for code in book.unspent:
        token = await house.exchange(code)
        assert token is not None or code in book.unsure, (
            "an acknowledged code is lost, or was spent for nothing"
        )
    checked = len(book.alive) + len(book.dead) + len(book.unspent)
    book.alive, book.dead, book.unspent = book.alive[-100:], book.dead[-100:], set()
    return checked


async def campaign(
    house: House, faults: Faults, chance: random.Random, rounds: list[tuple[str, int]]
) -> None:
    book, checked = Book(), 0
    async with house.standing() as browsers:
        kept = await house.exchange(await house.authorize(browsers[0]))
        assert kept
        for name, percent in rounds:
            print(f"{name}, {percent} % of the calls")
            async with guests(house, browsers, book, chance):
                with faults.on((WRITES | READS)[name], percent):
                    if percent == 100 and name in WRITES:
                        await says_no(house, browsers, kept)
                    else:
                        await so_much_load(book)
                await gets_over(house, browsers)
            checked += await check(house, book)
        checked += await killed_in_between(house, browsers, faults, chance)
    print(f"{len(rounds)} faults, {book.turned_away} turned away, {checked} operations checked: nothing lost")


async def so_much_load(book: Book) -> None:
    """Until enough were turned away, or enough were not: a disk that fails seldom may spare them all."""
    turned_away, alive = book.turned_away + 50, len(book.alive) + 1000

    def enough() -> bool:
        return book.turned_away >= turned_away or len(book.alive) >= alive

    await becomes(enough, "50 turned away or 1,000 tokens", 30)


async def killed_in_between(
    house: House, browsers: list[Browser], faults: Faults, chance: random.Random
) -> int:
    """kill -9 while fsync fails: what was turned away may have been done, what was acknowledged was."""
    book = Book()
    async with guests(house, browsers, book, chance):
        with faults.on("Y", 50):
            await so_much_load(book)
            house.kill()
    book.unsure |= book.unspent
    await house.start()
    return await check(house, book)


async def test_a_failing_disk(tmp_path: Path, long_torture: bool):
    data = tmp_path / "data"
    data.mkdir()
    faults = Faults(tmp_path, data)
    house = House(f"sqlite:///{data}/v.db", tmp_path / "log", 2, faults.environment)
    chance = replay.chance(long_torture)
    rounds = [(name, 100) for name in WRITES] + [("fsync fails", 30), (*READS, 50)]
    if long_torture:
        rounds += [(chance.choice([*WRITES, *READS]), chance.choice([2, 10, 30, 70, 100])) for _ in range(60)]
    await campaign(house, faults, chance, rounds)
    with sqlite3.connect(data / "v.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    said = house.said()
    assert "Traceback" not in said, said
