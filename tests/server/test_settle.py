"""The only loop: who was slower looks again, and learns which one-time keys were used."""

import pytest
from msgspec import Struct

from tests.store.samples import NOW
from valetkey.protocol.changes import Changes, Once
from valetkey.server.settle import TURNS, Busy, settle
from valetkey.store.base import Conflict
from valetkey.store.memory import MemoryStore


class Wants(Struct, frozen=True):
    """A decision with these writes."""

    changes: Changes


async def test_nobody_asks_for_used_keys_before_there_is_a_doubt() -> None:
    store, told = MemoryStore(), []

    async def look_up(used: frozenset[bytes]) -> frozenset[bytes]:
        told.append(used)
        return used

    def decide(used: frozenset[bytes]) -> Wants:
        return Wants(()) if used else Wants((Once(b"fresh", NOW), Once(b"jti", NOW)))

    assert (await settle(store, look_up, decide)).changes
    await store.apply((Once(b"other", NOW),))
    assert not (await settle(store, look_up, decide)).changes
    assert told == [frozenset(), frozenset(), {b"fresh", b"jti"}]


async def test_who_is_always_slower_gives_up() -> None:
    store, turns = MemoryStore(), []
    await store.apply((Once(b"jti", NOW),))

    async def look_up(used: frozenset[bytes]) -> None:
        turns.append(used)

    with pytest.raises(Busy):
        await settle(store, look_up, lambda _: Wants((Once(b"jti", NOW),)))
    assert len(turns) == TURNS


async def test_who_doubts_what_was_read_before_has_it_looked_up() -> None:
    """decide raises Conflict: nothing is written, and the second answer counts, be it no."""
    store, found = MemoryStore(), iter(["before", "now"])

    async def look_up(used: frozenset[bytes]) -> str:
        return next(found)

    def decide(facts: str) -> Wants:
        if facts == "before":
            raise Conflict
        return Wants(())

    assert await settle(store, look_up, decide) == Wants(())
    assert list(found) == []
