"""Contract: sealed keys come back whole, one follows another, and who is too late is told."""

import asyncio

import pytest
from msgspec.structs import replace

from tests.store.contract.races import outcomes
from tests.store.samples import NOW
from valetkey.protocol.changes import Save
from valetkey.protocol.sealed_key import SealedKey
from valetkey.store import Conflict, Store

FIRST = SealedKey("kid-1", "ES256", '{"kty":"EC"}', b"\1\0sealed", NOW, NOW, "ES256")
NEXT = replace(FIRST, id="kid-2", created_at=NOW + 1, active_from=NOW + 86400, follows="kid-1")


class KeysContract:
    async def test_keys_come_back_whole(self, store: Store) -> None:
        assert await store.keys() == []
        ended = replace(FIRST, retires_at=NOW + 86400, gone_at=NOW + 90000, version=2)
        await store.apply((Save(FIRST),))
        assert await store.keys() == [FIRST]
        await store.apply((Save(NEXT), Save(ended)))
        assert await store.keys() == [ended, NEXT]
        with pytest.raises(Conflict):
            await store.apply((Save(ended),))

    async def test_two_cannot_follow_the_same(self, store: Store) -> None:
        await store.apply((Save(FIRST), Save(NEXT)))
        late = replace(NEXT, id="kid-3")
        for record in (late, replace(FIRST, id="kid-4"), FIRST):
            with pytest.raises(Conflict):
                await store.apply((Save(replace(NEXT, sealed=b"other", version=2)), Save(record)))
        assert await store.keys() == [FIRST, NEXT]

    async def test_of_many_that_make_the_first_one_does(self, store: Store) -> None:
        ends = await outcomes([store.apply((Save(replace(FIRST, id=f"kid-{n}")),)) for n in range(8)])
        assert sorted(ends) == ["Conflict"] * 7 + ["done"]
        assert len(await asyncio.wait_for(store.keys(), 9)) == 1

    async def test_what_is_shown_no_more_goes(self, store: Store) -> None:
        await store.apply((Save(replace(FIRST, retires_at=NOW - 9, gone_at=NOW)), Save(NEXT)))
        assert await store.clean(NOW - 1, 100) == 0
        assert await store.clean(NOW, 100) == 1
        assert await store.keys() == [NEXT]
