"""kill -9 at any moment: what was acknowledged is there, nothing is half there, no spent code is good again."""

import asyncio
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.store.contract.races import exchange, outcomes
from tests.store.samples import digest, settle_in
from tests.throwaway_postgres import ThrowawayPostgres
from valetkey.store import Store, open_store

pytestmark = pytest.mark.torture

ROOT = str(Path(__file__).parents[2])
STEP = 1_000_000  # keys from one worker to the next


Act = Callable[[], object]


def nothing() -> None:
    pass


async def toil_until_killed(url: str, first: int, lines: int, kill: Act) -> list[tuple[str, int]]:
    """Let a worker say so many lines, kill; everything it has said, also after that."""
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.store.killed", url, str(first)),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((ROOT, f"{ROOT}/src"))},
        stdout=-1,
        stderr=-1,
    )
    assert worker.stdout
    said = [await worker.stdout.readline() for _ in range(lines)]
    kill()
    if worker.returncode is None:
        worker.kill()
    said += (await worker.stdout.read()).splitlines(keepends=True)
    _, complaint = await worker.communicate()
    assert all(said), complaint.decode()
    return [
        (word, int(key)) for word, key in (line.decode().split() for line in said if line.endswith(b"\n"))
    ]


async def is_right(store: Store, said: list[tuple[str, int]]) -> None:
    granted = {key for word, key in said if word == "granted"}
    spent = {key for word, key in said if word == "spent"}
    unsaid = {key + ahead for key in granted for ahead in (1, 20, 40)}
    for key in granted | unsaid:
        code = (await store.exchange_facts("app", digest(f"code{key}"))).code
        token = await store.bearer_facts(digest(f"token{key}"))
        assert code is not None or key not in granted, f"code {key} was acknowledged and is lost"
        used = code is not None and code.spent_at is not None
        assert used or key not in spent, f"code {key} was spent and is good again"
        assert used == (token is not None), f"exchange {key} is half there"
    again = [exchange(f"code{key}", f"thief{key}", key) for key in sorted(spent)[-20:]]
    assert set(await outcomes(map(store.apply, again))) <= {"Conflict"}


async def campaign(url: str, kills: int, workers: int, kill: Act = nothing, back: Act = nothing) -> None:
    """Kill the workers, or the server with `kill`, again and again; `back` brings the server back."""
    store = open_store(url)
    await store.open()
    await settle_in(store)
    await store.close()
    everything: list[tuple[str, int]] = []
    for turn in range(1, kills + 1):
        try:
            firsts = [(turn * workers + each) * STEP for each in range(workers)]
            toils = (toil_until_killed(url, first, random.randint(20, 400), kill) for first in firsts)
            said = [line for lines in await asyncio.gather(*toils) for line in lines]
        finally:
            back()
        store = open_store(url)
        await store.open()
        await is_right(store, said)
        everything += said
        await store.close()
    store = open_store(url)
    await store.open()
    await is_right(store, everything)
    await store.close()


async def test_sqlite(fresh_sqlite: Path, long_torture: bool) -> None:
    await campaign(f"sqlite:///{fresh_sqlite}", 100 if long_torture else 4, workers=2)


async def test_postgres_worker(fresh_postgres: str, long_torture: bool) -> None:
    await campaign(fresh_postgres, 50 if long_torture else 2, workers=2)


async def test_postgres_server(fresh_postgres: str, postgres: ThrowawayPostgres, long_torture: bool) -> None:
    await campaign(fresh_postgres, 50 if long_torture else 2, 1, postgres.crash, postgres.start)
