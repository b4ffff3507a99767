"""One suite that every store must pass; test_memory.py, test_sqlite.py and test_postgres.py say where it runs."""

from collections.abc import AsyncIterator

import pytest

from tests.store.contract.cleaning import CleaningContract
from tests.store.contract.counters import CountersContract
from tests.store.contract.grants import GrantsContract
from tests.store.contract.keys import KeysContract
from tests.store.contract.questions import QuestionsContract
from tests.store.contract.races import RacesContract
from tests.store.contract.records import RecordsContract
from tests.store.contract.registrations import RegistrationsContract
from tests.store.contract.tokens import TokensContract
from valetkey.store import Store, open_store


class Opened:
    """A subclass gives the fixture `url`, the address of an empty database."""

    @pytest.fixture
    async def store(self, url: str) -> AsyncIterator[Store]:
        store = open_store(url)
        await store.open()
        yield store
        await store.close()

    @pytest.fixture
    async def other(self, url: str, store: Store) -> AsyncIterator[Store]:
        """Another worker's view of the same database."""
        other = open_store(url)
        await other.open()
        yield other
        await other.close()


class Contract(
    Opened,
    RecordsContract,
    TokensContract,
    GrantsContract,
    RacesContract,
    CountersContract,
    CleaningContract,
    KeysContract,
    QuestionsContract,
    RegistrationsContract,
):
    """What every store must do."""
