"""Contract: counters, usage and leases are shared by all workers and count each once."""

import asyncio

from tests.store.samples import NOW
from valetkey.store import Store


class CountersContract:
    async def test_a_window_begins_at_its_first_attempt(self, store: Store) -> None:
        assert await store.attempt(["a"], NOW, 60) == [1]
        assert await store.attempt(["b", "a"], NOW + 59, 60) == [1, 2]
        assert await store.attempt(["a", "b"], NOW + 60, 60) == [1, 2]
        assert await store.attempt(["a", "b"], NOW + 119, 60) == [2, 1]
        assert await store.attempt(["a"], NOW + 120, 60) == [1]

    async def test_a_clock_that_was_ahead_makes_no_window_longer(self, store: Store, other: Store) -> None:
        assert await other.attempt(["a"], NOW + 5000, 60) == [1]
        assert await store.attempt(["a"], NOW, 60) == [2]
        assert await store.attempt(["a"], NOW + 59, 60) == [3]
        assert await store.attempt(["a"], NOW + 60, 60) == [1]

    async def test_a_success_forgets_the_failures(self, store: Store) -> None:
        await store.attempt(["a", "b"], NOW, 60)
        await store.forget_attempts(["a", "unknown"])
        assert await store.attempt(["a", "b"], NOW, 60) == [1, 2]

    async def test_many_at_once_are_each_counted(self, store: Store, other: Store) -> None:
        counts = await asyncio.gather(
            *(
                (store, other)[turn % 2].attempt(["x", f"own{turn}"][:: turn % 3 - 1 or 1], NOW, 60)
                for turn in range(40)
            )
        )
        shared = [max(pair) for pair in counts]
        assert sorted(shared) == list(range(1, 41))
        assert {min(pair) for pair in counts} == {1}

    async def test_a_new_window_begins_once_for_all(self, store: Store, other: Store) -> None:
        await store.attempt(["x"], NOW, 60)
        counts = await asyncio.gather(
            *((store, other)[turn % 2].attempt(["x"], NOW + 60, 60) for turn in range(20))
        )
        assert sorted(counts) == [[turn] for turn in range(1, 21)]

    async def test_usage_is_added_up_over_all_workers(self, store: Store, other: Store) -> None:
        assert await store.add_usage({("k", 7): 3, ("l", 7): 1}, {}) == {("k", 7): 3, ("l", 7): 1}
        assert await other.add_usage({("k", 7): 2, ("k", 8): 9}, {}) == {("k", 7): 5, ("k", 8): 9}
        totals = await asyncio.gather(
            *((store, other)[turn % 2].add_usage({("k", 7): 1, ("m", turn): 1}, {}) for turn in range(20))
        )
        assert sorted(total["k", 7] for total in totals) == list(range(6, 26))

    async def test_a_great_many_uses_are_noted(self, store: Store) -> None:
        calls = {(f"key{turn}", 7): turn for turn in range(1200)}
        assert await store.add_usage(calls, dict.fromkeys(range(1200), NOW)) == calls

    async def test_a_lease_has_one_holder(self, store: Store, other: Store) -> None:
        taken = await asyncio.gather(
            *((store, other)[turn % 2].lease("clean", f"worker{turn}", NOW, 60) for turn in range(20))
        )
        assert taken.count(True) == 1
        holder = f"worker{taken.index(True)}"
        assert await store.lease("clean", holder, NOW + 50, 60)
        assert not await other.lease("clean", "late", NOW + 109, 60)
        assert await other.lease("other", "late", NOW, 60)
        assert await other.lease("clean", "late", NOW + 110, 60)
        assert not await store.lease("clean", holder, NOW + 111, 60)

    async def test_a_lease_by_a_clock_far_ahead_is_none(self, store: Store, other: Store) -> None:
        assert await other.lease("clean", "in 2037", NOW + 10**9, 60)
        assert await store.lease("clean", "now", NOW, 60)
        assert not await other.lease("clean", "some seconds ahead", NOW + 9, 60)
        assert not await other.lease("clean", "some seconds behind", NOW - 9, 60)
