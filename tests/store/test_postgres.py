"""PostgreSQL passes the contract; a server that goes and returns is lived through."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from tests.store.contract import Contract, Opened
from tests.store.contract.databases import DatabaseContract
from tests.store.contract.races import exchange, outcomes
from tests.store.samples import NOW, account, authorization, client, code, digest, grant, settle_in, token
from tests.throwaway_postgres import EMPTY, ThrowawayPostgres
from tests.waiting import becomes
from valetkey.protocol.changes import Change, Changes, Hold, Remove, Save, Still
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.model import NOBODY, Consent
from valetkey.store import Store, Unavailable, migrate, open_store
from valetkey.store.address import parse
from valetkey.store.postgres_way import connect
from valetkey.store.steps import steps_of

WAITS = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)"


@pytest.fixture(scope="module")
def used_postgres(postgres: ThrowawayPostgres) -> Iterator[str]:
    """The name of a database that many tests use, one after another."""
    postgres.sql("CREATE DATABASE test_used")
    yield "test_used"
    postgres.sql("DROP DATABASE test_used WITH (FORCE)")


@pytest.fixture
def emptied_postgres(postgres: ThrowawayPostgres, used_postgres: str) -> str:
    """Its address, and nothing in it."""
    postgres.sql(EMPTY, used_postgres)
    return postgres.url(used_postgres)


class TestPostgres(Contract):
    @pytest.fixture
    def url(self, emptied_postgres: str) -> str:
        return emptied_postgres


class TestPostgresAsADatabase(Opened, DatabaseContract):
    @pytest.fixture
    def url(self, fresh_postgres: str) -> str:
        return fresh_postgres

    async def test_a_server_that_goes_and_returns(self, store: Store, postgres: ThrowawayPostgres) -> None:
        await settle_in(store)
        await grant(store, *(f"code{turn}" for turn in range(60)))
        asked = [
            asyncio.ensure_future(store.apply(exchange(f"code{turn}", f"t{turn}", turn + 1)))
            for turn in range(50)
        ]
        await asked[0]
        postgres.crash()
        try:
            ends = await outcomes(asked)
            assert set(ends) <= {"done", "Unavailable"}
            for refused in (store.account(1), store.apply((Save(account(2)),)), store.sessions_of(1)):
                with pytest.raises(Unavailable):
                    await refused
            assert not await store.ready()
        finally:
            postgres.start()
        assert await store.ready()
        assert await store.account(1) == account()
        for turn, end in enumerate(ends):
            if end == "done":
                assert await store.bearer_facts(digest(f"t{turn}")) is not None
        await store.apply(exchange("code55", "t55", 56))
        with pytest.raises(Unavailable, match="PostgreSQL"):
            await open_store("postgresql://nobody@/nothing?host=/nowhere").open()

    async def test_connections_that_the_server_ends_are_replaced(
        self, store: Store, postgres: ThrowawayPostgres
    ) -> None:
        await settle_in(store)
        await grant(store, "code")
        ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'"
        for turn in range(2, 5):
            postgres.sql(ends)
            assert await store.account(1) == account()
            postgres.sql(ends)
            await asyncio.sleep(0)
            await store.apply((Save(account(turn)),))

    async def test_replays_of_many_codes_by_many_workers_do_not_wait_in_a_circle(
        self, url: str, postgres: ThrowawayPostgres
    ) -> None:
        stores = [open_store(url) for _ in range(4)]
        for store in stores:
            await store.open()
        await settle_in(stores[0])
        await grant(stores[0], *(f"code{key}" for key in range(1, 201)))
        for first in (1, 101):  # the first round also makes the connections
            keys = range(first, first + 100)
            tries = [(store, key) for store in stores for key in keys for _ in range(3)]
            random.shuffle(tries)
            ends = await outcomes(
                store.apply(exchange(f"code{key}", f"t{first}.{turn}", key))
                for turn, (store, key) in enumerate(tries)
            )
            assert sorted(ends) == ["Conflict"] * 1100 + ["done"] * 100
            done = [key for (_, key), end in zip(tries, ends, strict=True) if end == "done"]
            assert sorted(done) == [*keys]
        for store in stores:
            await store.close()
        name = url.split("/")[3].split("?")[0]
        assert postgres.sql(f"SELECT deadlocks FROM pg_stat_database WHERE datname = '{name}'") == "0"

    async def test_two_who_clean_at_once_leave_no_authorization_behind(
        self, store: Store, other: Store, url: str, postgres: ThrowawayPostgres
    ) -> None:
        """One removes its code, the other its token; neither may leave it to the other."""
        name = url.split("/")[3].split("?")[0]
        some = "generate_series(1, 3000) n"
        postgres.sql(f"INSERT INTO authorizations SELECT n, n, 'app', 'basic', 1 FROM {some}", name)
        postgres.sql(f"INSERT INTO codes SELECT n, sha256(n::text::bytea), '', 5000 - n FROM {some}", name)
        postgres.sql(f"INSERT INTO tokens SELECT sha256(n::text::bytea), n, 1, n FROM {some}", name)

        async def all_of(one: Store) -> None:
            while await one.clean(NOW, 40):
                pass

        await asyncio.gather(all_of(store), all_of(other))
        assert postgres.sql("SELECT count(*) FROM authorizations", name) == "0"

    async def test_who_removes_an_app_finds_the_grant_under_way(self, store: Store, url: str) -> None:
        """Its id may come again, as that of an app which a document describes does; its codes must not."""
        await settle_in(store)
        hold: Change = Hold(1, "app")
        await store.apply((Save(Consent(1, "app", ("basic",), NOW)),))
        beside = await connect(parse(url))
        gone: Change = Remove("app")
        async with beside.transaction():
            for step in steps_of((hold, Save(authorization()), Save(code()))):
                await beside.execute(step.statement, *step.values)
            removing = asyncio.ensure_future(store.apply((gone,)))
            await becomes(lambda: beside.fetchval(WAITS), "the removal waits")
        await removing
        await beside.close()
        await store.apply((Save(client()),))
        assert await store.exchange_facts("app", digest("code")) == ExchangeFacts(client())
        await store.apply((Save(authorization()),))  # its id is free again

    async def test_an_app_that_is_allowed_something_while_others_lapse_keeps_what_it_has(
        self, store: Store, other: Store, url: str
    ) -> None:
        """Other workers decide on what it has for itself for as long as nobody tells them."""
        lapsed, own = client("app", NOBODY, lapses_at=NOW), authorization(1, NOBODY)
        await store.apply((Save(lapsed), Save(own)))
        await other.own_facts("app")
        beside = await connect(parse(url))
        async with beside.transaction():
            # what is removed waits for this
            await beside.execute("UPDATE authorizations SET last_used_at = 1")
            cleaning = asyncio.ensure_future(store.clean(NOW, 1000))
            await becomes(lambda: beside.fetchval(WAITS), "the clean-up waits")
            await other.apply((Save(Consent(1, "app", ("basic",), NOW)),))
        await cleaning
        await beside.close()
        before = other.own_at_hand("app")
        assert before is not None and before.edition is not None
        asked: Changes = (Still(before.edition), Save(token("t", own)))
        [end] = await outcomes([other.apply(asked)])
        lives = await store.bearer_facts(digest("t")) is not None
        assert (end, lives) in (("done", True), ("Conflict", False))

    async def test_text_is_in_the_order_of_its_bytes(self, url: str, postgres: ThrowawayPostgres) -> None:
        await migrate.migrate(url)
        name = url.split("/")[3].split("?")[0]
        other = (
            "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' "
            "AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
        )
        assert postgres.sql(other, name) == "0"
