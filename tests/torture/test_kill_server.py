"""kill -9 at any moment loses nothing that was acknowledged and revives nothing that was spent or revoked.

`valetkey serve` with two workers is under load from the browser's and the app's side, and is killed, workers and all,
after a random number of answers; then it is started again, must be ready within three seconds, and is asked about
everything it had acknowledged. On PostgreSQL the database is crashed at the same time every other round.
"""

import asyncio
import os
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.throwaway_postgres import ThrowawayPostgres
from tests.torture import replay
from tests.torture.house import Browser, House
from valetkey.server import accounts
from valetkey.server.authorization_server import assemble

pytestmark = pytest.mark.torture
LOADERS = 24
READY_WITHIN = 3.0  # seconds from the start after a kill


async def under_load(house: House, browsers: list[Browser], chance: random.Random, answers: int) -> None:
    """Load until so many answers came, then the kill; requests that were cut off count for nothing."""
    done, enough = 0, asyncio.Event()

    async def one(browser: Browser) -> None:
        code = await house.authorize(browser)
        if chance.random() < 0.2:
            browser.unspent.append(code)
            return
        token = await house.exchange(code)
        assert token is not None
        if chance.random() < 0.2:
            browser.spent.append((code, token))
        else:
            browser.alive.append(token)

    async def work(number: int) -> None:
        nonlocal done
        browser = browsers[number % len(browsers)]
        try:
            while True:
                await one(browser)
                done += 1
                if done >= answers:
                    enough.set()
        except OSError:
            return

    async def newcomer() -> None:
        try:
            await house.sign_up(f"new{chance.randrange(10**9)}")
        except OSError:
            return

    tasks = [asyncio.create_task(work(i)) for i in range(LOADERS)] + [asyncio.create_task(newcomer())]
    async with asyncio.timeout(60):
        while not enough.is_set():
            finished, _ = await asyncio.wait(
                [*tasks, asyncio.create_task(enough.wait())], return_when="FIRST_COMPLETED"
            )
            for task in finished:
                task.result()
    house.kill()
    await asyncio.gather(*tasks)


async def taken_back(house: House, browser: Browser) -> None:
    """The person revokes, and the server is killed as soon as it has said so."""
    await house.revoke(browser)
    house.kill()
    browser.dead += browser.alive + [token for _, token in browser.spent]
    browser.alive, browser.spent, browser.unspent = [], [], []


@dataclass
class Tally:
    """What was found after the kills."""

    kills: int = 0
    checked: int = 0
    lost: int = 0
    doubled: int = 0
    revived: int = 0
    slowest: float = 0.0

    def note(self, wrong: bool, name: str) -> None:
        """One acknowledged operation was looked at."""
        self.checked += 1
        setattr(self, name, getattr(self, name) + wrong)

    def assert_clean(self) -> None:
        assert self.lost == self.doubled == self.revived == 0, self
        assert self.slowest < READY_WITHIN, self

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.checked} operations checked: {self.lost} lost, {self.doubled} doubled, "
            f"{self.revived} revived; ready again after {self.slowest:.2f} s at most"
        )


async def check(house: House, browsers: list[Browser], chance: random.Random, tally: Tally) -> None:
    """Everything that was acknowledged is still so."""
    for browser in browsers:
        for token in browser.alive[-15:] + chance.sample(browser.alive, min(5, len(browser.alive))):
            tally.note(not await house.lives(token), "lost")
        for token in browser.dead[-5:]:
            tally.note(await house.lives(token), "revived")
        for code, token in browser.spent:
            tally.note(not await house.lives(token), "lost")
            tally.note(await house.exchange(code) is not None, "doubled")
            tally.note(await house.lives(token), "revived")  # the replay ended it
            browser.dead.append(token)
        for code in browser.unspent:
            token = await house.exchange(code)
            tally.note(token is None, "lost")
            browser.alive += [token] if token else []
        browser.spent, browser.unspent = [], []
    tally.assert_clean()


async def up_again(house: House, tally: Tally) -> None:
    """Start after a kill; what a slow start said is printed."""
    tally.kills += 1
    before = len(house.said())
    took = await house.start()
    tally.slowest = max(tally.slowest, took)
    if took > READY_WITHIN / 2:
        print(f"kill {tally.kills}: ready after {took:.2f} s, load {os.getloadavg()[0]:.1f}")
        print(house.said()[before:])


async def campaign(house: House, rounds: int, chance: random.Random, crash: ThrowawayPostgres | None) -> None:
    browsers, tally = await house.furnish(), Tally()
    try:
        await house.start()
        for number in range(rounds):
            await under_load(house, browsers, chance, chance.randrange(5, 250))
            if crash is not None and number % 2:
                crash.crash()
                crash.start()
            await up_again(house, tally)
            await check(house, browsers, chance, tally)
        leaver = browsers[chance.randrange(1, len(browsers))]
        await taken_back(house, leaver)
        await up_again(house, tally)
        await check(house, browsers, chance, tally)
    finally:
        house.kill()
        print(tally)
    await check_accounts(house, leaver, tally)


async def check_accounts(house: House, leaver: Browser, tally: Tally) -> None:
    """Who signed up is there; what was taken back is gone."""
    server = assemble(house.settings)
    await server.open()
    for username in house.signed_up:
        tally.note(await server.store.account_named(username) is None, "lost")
    account = await server.store.account_named(leaver.username)
    assert account is not None
    tally.note(await accounts.connected_apps(server, account) != [], "revived")
    await server.close()
    tally.assert_clean()


async def test_kill_9_on_sqlite(tmp_path: Path, long_torture: bool):
    house = House(f"sqlite:///{tmp_path}/killed.db", tmp_path / "log")
    await campaign(house, 150 if long_torture else 5, replay.chance(long_torture), None)


async def test_kill_9_on_postgresql(tmp_path: Path, long_torture: bool):
    postgres = ThrowawayPostgres()
    try:
        postgres.sql("CREATE DATABASE killed")
        house = House(postgres.url("killed"), tmp_path / "log")
        await campaign(house, 150 if long_torture else 4, replay.chance(long_torture), postgres)
    finally:
        postgres.discard()
