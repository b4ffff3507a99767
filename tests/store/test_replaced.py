"""A file that is removed or replaced under a server: what it would write to it is lost, so it acknowledges nothing."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.store.samples import NOW
from valetkey.store import Unavailable
from valetkey.store.sqlite import SqliteStore


def replace(file: Path) -> None:
    shutil.copy(file, f"{file}.copy")
    os.replace(f"{file}.copy", file)


@pytest.mark.parametrize("ends", [os.unlink, replace])
async def test_nothing_is_acknowledged_that_nobody_will_find(
    fresh_sqlite: Path, ends: Callable[[Path], None]
) -> None:
    store = SqliteStore(str(fresh_sqlite))
    await store.open()
    assert await store.ready() and await store.lease("house", "a", NOW, 60)
    ends(fresh_sqlite)
    assert not await store.ready()
    with pytest.raises(Unavailable, match="removed or replaced; stop the server"):
        await store.lease("house", "b", NOW + 61, 60)
    await store.close()


async def test_a_file_that_comes_back_is_used_again(fresh_sqlite: Path) -> None:
    store = SqliteStore(str(fresh_sqlite))
    await store.open()
    os.rename(fresh_sqlite, f"{fresh_sqlite}.away")
    with pytest.raises(Unavailable):
        await store.lease("house", "a", NOW, 60)
    os.rename(f"{fresh_sqlite}.away", fresh_sqlite)
    assert await store.ready() and await store.lease("house", "a", NOW, 60)
    await store.close()
