"""What four workers answered to many at once could have happened one after the other.

For each account its app issues codes, redeems each several times at once, uses the token and replays the code; at some
moment the person takes access back. Every call is written down with the times of its beginning and end, and the history
of each code, revocation included, must be explained (history.py). In the second half of a long campaign the server is
killed now and then; calls that were cut off may have taken effect or not.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.torture import replay
from tests.torture.history import Call, Code, explain, life_of_a_code
from tests.torture.house import REDIRECT, Browser, House
from valetkey.protocol.changes import Save
from valetkey.protocol.model import Consent
from valetkey.server.authorization_server import assemble

pytestmark = pytest.mark.torture
LINES = 64
CODES = 6  # of an account in a round


@dataclass
class Diary:
    """What was seen of one account in one round."""

    codes: dict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))
    revocations: list[Call] = field(default_factory=list)
    refusals: list[Call] = field(default_factory=list)

    async def note(self, name: str, act: Callable[[], Awaitable[Any]], into: list[Call]) -> Any:
        """Call, and write down what came of it."""
        began, answer = time.monotonic(), None
        with suppress(OSError):
            answer = await act()
        into.append(Call(name, answer, began, time.monotonic()))
        return answer

    def unexplained(self) -> list[list[Call]]:
        """The histories that cannot have happened."""
        histories = [[*calls, *self.revocations] for calls in self.codes.values()]
        histories.append([*self.refusals, *self.revocations])
        return [history for history in histories if explain(history, Code(), life_of_a_code) is None]


async def issue(house: House, browser: Browser, diary: Diary) -> str | None:
    """A code, or None when the person is asked again or the answer was cut off."""
    query = f"client_id={house.app.client.id}&redirect_uri={REDIRECT}&response_type=code"
    began = time.monotonic()
    try:
        reply = await house.ask(f"/oauth/authorize?{query}", cookie=f"valetkey={browser.cookie}")
    except OSError:
        return None
    ended = time.monotonic()
    if reply.status == 200:
        assert b'value="deny"' in reply.body
        diary.refusals.append(Call("issue", False, began, ended))
        return None
    assert reply.status == 302, reply
    code = reply.headers["location"].partition("code=")[2]
    diary.codes[code].append(Call("issue", True, began, ended))
    return code


async def one_code(house: House, browser: Browser, diary: Diary, chance: random.Random) -> None:
    """Issue, then redeem, use and perhaps replay, some of it at once."""
    code = await issue(house, browser, diary)
    if code is None:
        return
    calls = diary.codes[code]

    async def redeem() -> str | bool:
        return await house.exchange(code) or False

    async def some_uses(token: str) -> None:
        uses = (diary.note("use", lambda: house.lives(token), calls) for _ in range(chance.randrange(1, 4)))
        await asyncio.gather(*uses)

    won = await asyncio.gather(
        *(diary.note("redeem", redeem, calls) for _ in range(chance.choice([1, 1, 2, 3])))
    )
    tokens = [token for token in won if token]
    for token in tokens:
        await some_uses(token)
        replays = [diary.note("redeem", redeem, calls)] if chance.random() < 0.5 else []
        await asyncio.gather(some_uses(token), *replays)
        await some_uses(token)


async def one_round(house: House, browser: Browser, chance: random.Random) -> Diary:
    """Several codes at once, and somewhere among them the revocation."""
    diary = Diary()

    async def take_back() -> None:
        for _ in range(chance.randrange(40)):
            await asyncio.sleep(0)
        for _ in range(chance.randrange(4)):
            with suppress(OSError):
                await house.ask("/robots.txt")

        async def revoke() -> bool:
            await house.revoke(browser)
            return True

        await diary.note("revoke", revoke, diary.revocations)

    await asyncio.gather(*(one_code(house, browser, diary, chance) for _ in range(CODES)), take_back())
    return diary


async def allow_again(house: House, browsers: list[Browser]) -> None:
    """Everybody's consent is there for the next round."""
    server = assemble(house.settings)
    await server.open()
    for browser in browsers:
        account = await server.store.account_named(browser.username)
        assert account is not None
        consent = Consent(account.id, house.app.client.id, ("basic",), server.clock())
        await server.store.apply((Save(consent),))
    await server.close()


def assert_explained(diaries: list[Diary]) -> int:
    """Every history has an explanation; returns how many calls there were."""
    for diary in diaries:
        for history in diary.unexplained():
            lines = (
                f"{c.began:.6f} {c.ended:.6f} {c.name} {c.answer}" for c in sorted(history, key=by_begin)
            )
            raise AssertionError("\n".join(["this cannot have happened:", *lines]))
    return sum(len(calls) for diary in diaries for calls in diary.codes.values())


def by_begin(call: Call) -> float:
    return call.began


async def campaign(house: House, chance: random.Random, rounds: int, killed: set[int]) -> None:
    calls = 0
    async with house.standing() as browsers:
        await house.connect(LINES)
        for number in range(rounds):
            ends = asyncio.gather(*(one_round(house, browser, chance) for browser in browsers))
            if number in killed:
                for _ in range(chance.randrange(1, 150)):
                    await asyncio.sleep(0.001)
                house.kill()
            calls += assert_explained(await ends)
            if number in killed:
                await house.start()
                await house.connect(LINES)
            await allow_again(house, browsers)
    print(f"{rounds * len(browsers) * CODES} codes, {calls} calls, {len(killed)} kills: all explained")


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_every_history_can_be_explained(request: Any, engine: str, tmp_path: Path, long_torture: bool):
    url = f"sqlite:///{tmp_path}/w.db" if engine == "sqlite" else request.getfixturevalue("fresh_postgres")
    chance = replay.chance(long_torture)
    house = House(url, tmp_path / "log", 4)
    rounds = 400 if long_torture else 10
    killed = set(range(rounds // 2, rounds, 10)) if long_torture else {rounds - 2}
    await campaign(house, chance, rounds, killed)
