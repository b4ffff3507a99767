"""No client is shown as it was before a change that another process has made (decision 0008)."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from tests.store.contract.races import outcomes
from tests.store.samples import (
    NOW,
    authorization,
    client,
    code,
    device,
    digest,
    refresh,
    session,
    settle_in,
    token,
)
from valetkey.protocol.changes import Change, Changes, Remove, Revoke, Save, Still, Withdraw
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.model import NOBODY, Client, Terms
from valetkey.store import Conflict, Store, kept, open_store


async def seen(store: Store) -> list[Client | None]:
    """The client "app" as every look-up shows it that names it as who asks."""
    known, unknown = digest("token"), digest("?")
    found = [
        await store.authorize_facts("app", digest("browser")),
        await store.exchange_facts("app", digest("code")),
        await store.exchange_facts("app", unknown),
        await store.own_facts("app"),
        await store.introspect_facts("app", known),
        await store.introspect_facts("app", unknown),
        await store.refresh_facts("app", digest("refresh")),
        await store.refresh_facts("app", unknown),
        await store.device_facts("app", digest("device")),
        await store.device_facts("app", unknown),
    ]
    return [each.client for each in found]


async def edition(store: Store) -> int:
    """That of what this process keeps of the app "app" itself."""
    found = store.own_at_hand("app")
    assert found is not None and found.edition is not None
    return found.edition


class EditionContract:
    """A subclass gives the fixtures `url`, and `store` on it."""

    @pytest.fixture
    async def elsewhere(self, store: Store, url: str) -> AsyncIterator[Store]:
        """Another process's view, which has seen everything, the editions being without a row."""
        elsewhere = open_store(url)
        await elsewhere.open()
        await settle_in(store)
        own, far = authorization(2, NOBODY), authorization(3, app="far")
        exchanged = replace(token("exchanged", far), terms=Terms(client="app"))
        await store.apply((Save(session()), Save(client("far")), Save(authorization()), Save(own), Save(far)))
        await store.apply((Save(code()), Save(token()), Save(refresh()), Save(device()), Save(exchanged)))
        assert await seen(elsewhere) == [client()] * 10
        assert await elsewhere.bearer_facts(digest("exchanged")) is not None
        yield elsewhere
        await elsewhere.close()

    @pytest.mark.parametrize("times", [1, 2])
    async def test_whoever_is_changed_is_seen_so_by_all(
        self, store: Store, elsewhere: Store, times: int
    ) -> None:
        for turn in range(2, 2 + times):
            changed = client(disabled_at=NOW + turn, version=turn)
            await store.apply((Save(changed),))
            assert await seen(elsewhere) == [changed] * 10
            found = await elsewhere.bearer_facts(digest("token"))
            assert found is not None and found.client == changed
            assert await elsewhere.bearer_facts(digest("exchanged")) is None

    async def test_whoever_is_removed_is_seen_by_nobody(self, store: Store, elsewhere: Store) -> None:
        gone: Change = Remove("app")
        await store.apply((gone,))
        assert await seen(elsewhere) == [None] * 10
        assert await elsewhere.bearer_facts(digest("token")) is None
        assert await elsewhere.bearer_facts(digest("exchanged")) is None
        again = client(redirect_uris=("https://rp.test/other",))
        await store.apply((Save(again),))
        assert await seen(elsewhere) == [again] * 10

    async def test_many_changes_at_once_are_all_made(self, store: Store, elsewhere: Store) -> None:
        names = [f"app{turn}" for turn in range(30)]
        lapse = dict.fromkeys(names[20:], NOW - 1)
        await store.apply(tuple(Save(client(name, lapses_at=lapse.get(name))) for name in names))
        roots = [authorization(100 + turn, app=name) for turn, name in enumerate(names[:20])]
        await store.apply(tuple(Save(root) for root in roots))
        changes: list[Changes] = [(Remove(name), Revoke(1, NOW)) for name in names[:10]]
        pairs = zip(names[10:15], names[15:20], strict=True)
        changes += [tuple(Save(client(name, version=2)) for name in pair) for pair in pairs]
        both = (store, elsewhere)
        cleaned, ends = await asyncio.gather(
            store.clean(NOW, 1000),
            outcomes(both[turn % 2].apply(each) for turn, each in enumerate(changes)),
        )
        assert ends == ["done"] * 15
        while cleaned and await store.clean(NOW, 1000):
            pass
        for each in both:
            found = [(await each.authorize_facts(name, None)).client for name in names]
            assert found == [None] * 10 + [client(name, version=2) for name in names[10:20]] + [None] * 10

    async def test_a_change_that_came_to_nothing_moves_nothing_on(
        self, store: Store, elsewhere: Store
    ) -> None:
        with pytest.raises(Conflict):
            await store.apply((Save(client(version=9)),))
        assert await seen(elsewhere) == [client()] * 10

    async def test_what_an_app_asks_for_itself_is_kept_with_its_edition(
        self, store: Store, elsewhere: Store
    ) -> None:
        assert store.own_at_hand("app") is None  # this process has not been asked yet
        looked_up = await store.own_facts("app")
        assert store.own_at_hand("app") == replace(looked_up, edition=0)
        for version in (2, 3):
            await elsewhere.apply((Save(client(website=f"https://{version}.test/", version=version)),))
            assert await edition(store) == version - 2  # as it was before
            looked_up = await store.own_facts("app")
            assert store.own_at_hand("app") == replace(looked_up, edition=version - 1)
        assert looked_up.client is not None and looked_up.client.version == 3
        await elsewhere.apply((Save(client("new")), Save(authorization(7, app="new"))))
        assert await store.own_facts("new") == ExchangeFacts(client("new"))
        assert store.own_at_hand("new") is None  # nothing is granted to it yet

    async def test_what_an_app_asks_for_itself_is_kept_no_longer_than_its_client(
        self, store: Store, elsewhere: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A valetkey from before the edition changes it without a word: nobody sees that for a minute at most."""
        times = [1000.0]
        monkeypatch.setattr(kept, "time", SimpleNamespace(monotonic=lambda: times[-1]))
        await store.client("app")
        times.append(1059.0)
        await store.own_facts("app")
        assert store.own_at_hand("app") is not None
        times.append(1060.5)
        assert store.own_at_hand("app") is None
        await store.client("app")
        assert store.own_at_hand("app") is None  # it is the client of before that it goes with
        looked_up = await store.own_facts("app")
        assert store.own_at_hand("app") == replace(looked_up, edition=0)

    @pytest.mark.parametrize(
        "change",
        [Save(client(disabled_at=NOW, version=2)), Remove("far"), Withdraw(NOBODY, "far", NOW)],
        ids=["a client changed", "a client removed", "what one has for itself taken back"],
    )
    @pytest.mark.parametrize("many", [1, 40])
    async def test_who_decides_on_what_was_before_writes_nothing_once_it_is_not_so(
        self, store: Store, elsewhere: Store, change: Change, many: int
    ) -> None:
        await store.own_facts("app")
        await elsewhere.own_facts("app")
        own, both = authorization(2, NOBODY), (store, elsewhere)
        before = [(Still(await edition(both[n % 2])), Save(token(f"b{n}", own))) for n in range(many)]
        ends = await outcomes(both[n % 2].apply(each) for n, each in enumerate(before))
        assert ends == ["done"] * many
        assert await store.bearer_facts(digest(f"b{many - 1}")) is not None
        await elsewhere.apply((change,))
        late = [(Still(await edition(both[n % 2])), Save(token(f"l{n}", own))) for n in range(many)]
        ends = await outcomes(both[n % 2].apply(each) for n, each in enumerate(late))
        assert ends == ["Conflict"] * many
        assert await store.bearer_facts(digest("l0")) is None
        await store.own_facts("app")
        mixed = [(Still(await edition(store) + n % 2), Save(token(f"m{n}", own))) for n in range(many)]
        ends = await outcomes(map(store.apply, mixed))
        assert ends == [("done", "Conflict")[n % 2] for n in range(many)]

    async def test_who_is_at_fault_takes_no_neighbour_along(self, store: Store, elsewhere: Store) -> None:
        """A token that is there already makes the one statement for all of them fail; then each is tried alone."""
        await store.own_facts("app")
        own, now = authorization(2, NOBODY), await edition(store)
        names, editions = ["token", "x1", "x2", "x3", "x4", "x5"], [now, now, now + 1, now, now + 1, now]
        lists = [(Still(at), Save(token(name, own))) for name, at in zip(names, editions, strict=True)]
        ends = await outcomes(map(store.apply, lists))
        assert ends == ["Conflict", "done", "Conflict", "done", "Conflict", "done"]
        kept = [await elsewhere.bearer_facts(digest(name)) is not None for name in names]
        assert kept == [True, True, False, True, False, True]

    async def test_what_a_person_takes_back_is_no_concern_of_an_app_itself(self, store: Store) -> None:
        await settle_in(store)
        await store.apply((Save(authorization(1)), Save(authorization(2, NOBODY))))
        await store.own_facts("app")
        await store.apply((Withdraw(1, "app", NOW), Revoke(1, NOW)))
        await store.apply((Still(await edition(store)), Save(token("t", authorization(2, NOBODY)))))
