"""The memory store passes the contract; all its workers share one."""

import pytest

from tests.store.contract import Contract
from valetkey.store import Store


class TestMemory(Contract):
    @pytest.fixture
    def url(self) -> str:
        return "memory://"

    @pytest.fixture
    async def other(self, store: Store) -> Store:
        return store
