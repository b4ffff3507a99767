"""One and four workers, SQLite and PostgreSQL: what one worker said holds for every other, at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.torture.house import REDIRECT, Browser, House
from tests.torture.wire import ask

ELSEWHERE = 24  # new connections, so that every worker is asked


@pytest.fixture(params=["sqlite-1", "sqlite-4", "postgresql-1", "postgresql-4"])
async def house(request: Any, tmp_path: Path) -> AsyncIterator[tuple[House, list[Browser]]]:
    engine, _, workers = request.param.partition("-")
    url = f"sqlite:///{tmp_path}/w.db" if engine == "sqlite" else request.getfixturevalue("fresh_postgres")
    made = House(url, tmp_path / "log", int(workers))
    async with made.standing() as browsers:
        yield made, browsers


async def everywhere(house: House, token: str) -> set[bool]:
    return set(await asyncio.gather(*(house.lives(token) for _ in range(ELSEWHERE))))


async def test_what_one_worker_said_holds_everywhere(house: tuple[House, list[Browser]]):
    server, (first, second, *_) = house
    # C3: a code has one winner, whoever asks for it where
    for _ in range(5):
        code = await server.authorize(first)
        answers = await asyncio.gather(*(server.exchange(code) for _ in range(50)))
        assert len([token for token in answers if token]) == 1
    # C2: a replay ends the token on every worker
    code = await server.authorize(first)
    token = await server.exchange(code) or ""
    assert await everywhere(server, token) == {True}
    assert await server.exchange(code) is None
    assert await everywhere(server, token) == {False}
    # H9: a revocation too, and codes that wait; other people keep theirs
    kept = await server.exchange(await server.authorize(second)) or ""
    token, waiting = await server.exchange(await server.authorize(first)) or "", await server.authorize(first)
    await server.revoke(first)
    assert await everywhere(server, token) == {False}
    assert await server.exchange(waiting) is None
    assert await everywhere(server, kept) == {True}
    # a revoked consent is asked for again
    query = f"client_id={server.app.client.id}&redirect_uri={REDIRECT}&response_type=code"
    page = await ask(server.port, f"/oauth/authorize?{query}", cookie=f"valetkey={first.cookie}")
    assert page.status == 200 and b'value="deny"' in page.body


async def test_I2_parallel_guessing_is_counted_across_workers(house: tuple[House, list[Browser]]):
    server, _ = house
    answers = await asyncio.gather(*(server.log_in("person3", "wrong password") for _ in range(24)))
    assert sorted(set(answers)) == [400, 429]
    assert answers.count(400) == server.settings.login.attempts_per_account
