"""Refreshing over real sockets while the server is killed: one successor a token, and nobody is logged out.

Fifty ask at once with one token over four workers, and are told the same. Then holders with several tabs ask and ask,
lose answers and ask again, while the server (on PostgreSQL every other time the database, too) is killed at random
moments. At the end a thief comes with a token from long ago, and the server knows it (CVE-2026-9802).
"""

import asyncio
import random
import time
from pathlib import Path

import pytest

from tests.throwaway_postgres import ThrowawayPostgres
from tests.torture import replay
from tests.torture.house import House, TurnedAway
from tests.waiting import becomes
from valetkey.protocol.changes import Save
from valetkey.protocol.model import Account, Authorization, Client, RefreshToken
from valetkey.protocol.rules.digest import digest
from valetkey.server import mint
from valetkey.server.authorization_server import AuthorizationServer, assemble

pytestmark = pytest.mark.torture
SECRET = "vk_cs_of_the_app"
FIFTY, RACES_AT_ONCE, LINES, HOLDERS = 50, 8, 64, 12


class Holder:
    """An authorization: its first token, the newest, and how often a new one came."""

    def __init__(self, token: str) -> None:
        self.first = self.newest = token
        self.rotations = self.retries = 0

    @property
    def turns(self) -> int:
        return self.rotations + self.retries


async def furnish(house: House, count: int) -> list[Holder]:
    """An app and so many authorizations of it."""
    server = assemble(house.settings)
    await server.store.open()
    now = server.clock()
    owner = Account(1, "owner", "owner", "Owner", "", "no password", now)
    app = Client("app", 1, "App", "web", "oauth21", (), now, (mint.kept(SECRET, now),))
    await server.store.apply((Save(owner), Save(app)))
    holders = []
    for _ in range(count):
        token, root = server.mint.refresh_token(now), server.mint.authorization_id(now)
        kept = Authorization(root, 1, "app", ("basic",), now)
        await server.store.apply((Save(kept), Save(RefreshToken(digest(token), kept, now, now + 86400))))
        holders.append(Holder(token))
    await server.store.close()
    return holders


async def ask(house: House, token: str) -> tuple[str, str] | None:
    """The pair that comes for this token; None for a refusal. Raises OSError, TurnedAway."""
    fields = {
        "grant_type": "refresh_token",
        "client_id": "app",
        "client_secret": SECRET,
        "refresh_token": token,
    }
    reply = await house.ask("/oauth/token", fields)
    assert reply.status in (200, 400), reply
    said = reply.json()
    if reply.status == 400:
        assert said["error"] == "invalid_grant", said
        return None
    return said["access_token"], said["refresh_token"]


async def race(house: House, holder: Holder) -> None:
    """Fifty at once: one successor, fifty equal answers."""
    told = set(await asyncio.gather(*(ask(house, holder.newest) for _ in range(FIFTY))))
    assert len(told) == 1, f"{len(told)} answers to one token"
    [pair] = told
    assert pair is not None, "nobody was told anything"
    holder.newest = pair[1]


async def races(house: House, holders: list[Holder], rounds: int) -> None:
    await house.connect(LINES)
    assert min(house.spread()) > 0, f"a worker takes no part: {house.spread()}"
    for _ in range(rounds):
        await asyncio.gather(*(race(house, holder) for holder in holders[:RACES_AT_ONCE]))


async def hold(house: House, holder: Holder, chance: random.Random, enough: asyncio.Event) -> None:
    """Ask with some tabs at once, and again until one hears; no request is left under way at the end."""
    while not enough.is_set():
        tabs = chance.choice([1, 1, 2, 3])
        found = await asyncio.gather(
            *(ask(house, holder.newest) for _ in range(tabs)), return_exceptions=True
        )
        heard = [end for end in found if not isinstance(end, OSError | TurnedAway)]
        for end in heard:
            if isinstance(end, BaseException):
                raise end
        assert None not in heard, "the only holder was refused"
        assert len(set(heard)) <= 1, "a token has two successors"
        if heard and chance.random() < 0.7:
            holder.newest = heard[0][1]  # type: ignore[index]
            holder.rotations += 1
        else:
            holder.retries += 1
            await asyncio.sleep(0.03)


async def turned(holders: list[Holder], tasks: list[asyncio.Task[None]], times: int) -> None:
    """Until each has asked so often, and got an answer or none."""
    wanted = [holder.turns + times for holder in holders]

    def so() -> bool:
        for task in tasks:
            if task.done():
                task.result()
        return all(holder.turns >= turns for holder, turns in zip(holders, wanted, strict=True))

    await becomes(so, f"everybody has asked {times} times")


async def killed(
    house: House, holders: list[Holder], chance: random.Random, crash: ThrowawayPostgres | None
) -> None:
    """Load, a kill at a random moment, and up again while everybody goes on asking."""
    enough = asyncio.Event()
    tasks = [asyncio.create_task(hold(house, holder, chance, enough)) for holder in holders]
    await turned(holders, tasks, chance.randrange(4, 20))
    house.kill()
    if crash is not None:
        crash.crash()
        crash.start()
    await house.start()
    await turned(holders, tasks, 4)
    enough.set()
    await asyncio.gather(*tasks)


async def count_unspent(server: AuthorizationServer, holder: Holder) -> None:
    """What the holder has is the one token that can be used, or was spent and its answer is still there."""
    facts = await server.store.refresh_facts("app", digest(holder.newest))
    assert facts.refresh is not None and facts.refresh.authorization.revoked_at is None
    assert facts.refresh.spent_at is None or (facts.successor is not None and facts.successor.used_at is None)


async def thief(house: House, holder: Holder) -> None:
    """A token from long ago: both are out, and people are told."""
    mine = await ask(house, holder.newest)
    assert mine is not None and await ask(house, holder.first) is None
    assert await ask(house, mine[1]) is None and await ask(house, holder.newest) is None


async def campaign(
    house: House, chance: random.Random, long: bool, crash: ThrowawayPostgres | None = None
) -> None:
    holders, kills = await furnish(house, HOLDERS), 100 if long else 2
    try:
        await house.start()
        began = time.monotonic()
        await races(house, holders, 100 if long else 5)
        print(f"fifty at once in {time.monotonic() - began:.1f} s")
        house.kill()
        house.workers = 2  # which start sooner
        await house.start()
        for number in range(kills):
            await killed(house, holders, chance, crash if number % 2 else None)
        server = assemble(house.settings)
        await server.store.open()
        for holder in holders:
            await count_unspent(server, holder)
        for holder in holders[:4]:
            await thief(house, holder)
        assert len(await server.store.notices("app", 99)) == 4
        await server.store.close()
    finally:
        house.kill()
    rotations, retries = sum(one.rotations for one in holders), sum(one.retries for one in holders)
    print(f"{rotations} rotations, {retries} answers lost, {kills} kills")
    assert rotations > 50 and retries > 20
    assert "Traceback" not in house.said(), house.said()


async def test_on_sqlite(tmp_path: Path, long_torture: bool) -> None:
    house = House(f"sqlite:///{tmp_path}/killed.db", tmp_path / "log", 4)
    await campaign(house, replay.chance(long_torture), long_torture)


async def test_on_postgresql(tmp_path: Path, long_torture: bool) -> None:
    postgres = ThrowawayPostgres()
    try:
        postgres.sql("CREATE DATABASE killed")
        house = House(postgres.url("killed"), tmp_path / "log", 4)
        await campaign(house, replay.chance(long_torture), long_torture, postgres)
    finally:
        postgres.discard()
