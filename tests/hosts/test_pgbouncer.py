"""Through a real PgBouncer in transaction mode: the contract of the stores, and people and apps at work."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.hosts import programs
from tests.hosts.cluster import Cluster, Load, check
from tests.program import free_port
from tests.store.contract import Contract, Opened
from tests.store.contract.databases import DatabaseContract
from tests.store.samples import settle_in
from tests.throwaway_postgres import EMPTY, ThrowawayPostgres
from tests.torture import replay
from valetkey.store import Store, migrate


@pytest.fixture(scope="module")
def pgbouncer(postgres: ThrowawayPostgres) -> Iterator[int]:
    """The port of one for all tests here."""
    port = free_port()
    program = programs.pgbouncer(postgres, port)
    yield port
    program.stop()


def through(url: str, port: int) -> str:
    """The same database, by way of PgBouncer."""
    return f"postgresql://postgres@127.0.0.1:{port}{urlsplit(url).path}?pgbouncer=1"


class TestPostgresThroughPgBouncer(Contract):
    """The next transaction is given another connection."""

    @pytest.fixture(scope="class")
    async def used(self, postgres: ThrowawayPostgres, pgbouncer: int) -> AsyncIterator[str]:
        postgres.sql("CREATE DATABASE test_pgbouncer")
        yield through(postgres.url("test_pgbouncer"), pgbouncer)
        postgres.sql("DROP DATABASE test_pgbouncer WITH (FORCE)")

    @pytest.fixture
    def url(self, postgres: ThrowawayPostgres, used: str) -> str:
        postgres.sql(EMPTY, "test_pgbouncer")
        return used

    async def test_no_statement_is_held(self, store: Store, postgres: ThrowawayPostgres) -> None:
        await settle_in(store)
        for _ in range(10):
            held = await store._do(lambda link: link.look("SELECT name FROM pg_prepared_statements"))  # type: ignore[attr-defined]
            assert held == []


class TestPostgresThroughPgBouncerAsADatabase(Opened, DatabaseContract):
    @pytest.fixture
    def url(self, fresh_postgres: str, pgbouncer: int) -> str:
        return through(fresh_postgres, pgbouncer)


@pytest.mark.torture
async def test_people_and_apps_at_work(
    fresh_postgres: str, pgbouncer: int, tmp_path: Path, long_torture: bool
):
    url = through(fresh_postgres, pgbouncer)
    await migrate.migrate(url)
    front = Cluster(url, tmp_path, replicas=2)
    async with front.standing() as browsers:
        load = Load(front, browsers, replay.chance(long_torture))
        load.begin()
        await load.more(20000 if long_torture else 500)
        await load.end()
        assert set(front.answers) == {"GET done", "POST done"}
        await check(front, browsers)
