"""kill -9 at any moment loses nothing that was acknowledged and revives nothing that was spent or revoked.

`valetkey serve` with two workers is under load from the browser's and the app's side, and is killed, workers and all,
after a random number of answers; then it is started again and asked about everything it had acknowledged. On PostgreSQL
the database is crashed at the same time every other round.
"""

import asyncio
import os
import random
from pathlib import Path

import pytest

from tests.throwaway_postgres import ThrowawayPostgres
from tests.torture.house import Browser, House
from valetkey.server import accounts
from valetkey.server.authorization_server import assemble

pytestmark = pytest.mark.torture
LOADERS = 24


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


async def taken_back(house: House, browser: Browser, chance: random.Random) -> None:
    """The person revokes, and the server is killed as soon as it has said so."""
    await house.revoke(browser)
    house.kill()
    browser.dead += browser.alive + [token for _, token in browser.spent]
    browser.alive, browser.spent, browser.unspent = [], [], []


async def check(house: House, browsers: list[Browser], chance: random.Random) -> None:
    """Everything that was acknowledged is still so."""
    for browser in browsers:
        for token in browser.alive[-15:] + chance.sample(browser.alive, min(5, len(browser.alive))):
            assert await house.lives(token), "an acknowledged token is lost"
        for token in browser.dead[-5:]:
            assert not await house.lives(token), "a revoked token lives again"
        for code, token in browser.spent:
            assert await house.lives(token), "an acknowledged token is lost"
            assert await house.exchange(code) is None, "a spent code was taken again"
            assert not await house.lives(token), "a replay did not end the token"
            browser.dead.append(token)
        for code in browser.unspent:
            token = await house.exchange(code)
            assert token is not None, "an acknowledged code is lost"
            browser.alive.append(token)
        browser.spent, browser.unspent = [], []


async def campaign(house: House, rounds: int, crash: ThrowawayPostgres | None) -> None:
    seed = int(os.environ.get("VALETKEY_SEED", random.SystemRandom().randrange(10**9)))
    print(f"replay with VALETKEY_SEED={seed}")
    chance = random.Random(seed)
    browsers = await house.furnish()
    try:
        await house.start()
        for number in range(rounds):
            await under_load(house, browsers, chance, chance.randrange(5, 250))
            if crash is not None and number % 2:
                crash.crash()
                crash.start()
            await house.start()
            await check(house, browsers, chance)
        leaver = browsers[chance.randrange(1, len(browsers))]
        await taken_back(house, leaver, chance)
        await house.start()
        await check(house, browsers, chance)
    finally:
        house.kill()
    server = assemble(house.settings)
    await server.open()
    for username in house.signed_up:
        assert await server.store.account_named(username) is not None, "an acknowledged account is lost"
    account = await server.store.account_named(leaver.username)
    assert account is not None
    apps = await accounts.connected_apps(server, account)
    assert apps == [], "a withdrawn consent is back"
    await server.close()


async def test_kill_9_on_sqlite(tmp_path: Path, long_torture: bool):
    house = House(f"sqlite:///{tmp_path}/killed.db", tmp_path / "log")
    await campaign(house, 150 if long_torture else 5, None)


async def test_kill_9_on_postgresql(tmp_path: Path, long_torture: bool):
    postgres = ThrowawayPostgres()
    try:
        postgres.sql("CREATE DATABASE killed")
        await campaign(House(postgres.url("killed"), tmp_path / "log"), 150 if long_torture else 4, postgres)
    finally:
        postgres.discard()
