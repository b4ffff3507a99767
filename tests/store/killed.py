"""A worker that grants and exchanges until it is killed, and says what was acknowledged (test_kill.py runs it)."""

import asyncio
import itertools
import os
import sys
from collections.abc import Iterator

from tests.store.contract.races import exchange
from tests.store.samples import authorization, code
from valetkey.protocol.changes import Save
from valetkey.store import Store, open_store


def say(word: str, key: int) -> None:
    os.write(1, f"{word} {key}\n".encode())


async def toil(store: Store, keys: Iterator[int]) -> None:
    for key in keys:
        root = authorization(key)
        await store.apply((Save(root), Save(code(f"code{key}", root))))
        say("granted", key)
        await store.apply(exchange(f"code{key}", f"token{key}", key))
        say("spent", key)


async def main(url: str, first: int) -> None:
    store = open_store(url)
    await store.open()
    keys = itertools.count(first)
    await asyncio.gather(*(toil(store, keys) for _ in range(16)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
