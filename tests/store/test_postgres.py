"""PostgreSQL passes the contract."""

import pytest

from tests.store.contract import Contract


class TestPostgres(Contract):
    @pytest.fixture
    def url(self, fresh_postgres: str) -> str:
        return fresh_postgres
