"""SQLite passes the contract."""

from pathlib import Path

import pytest

from tests.store.contract import Contract


class TestSqlite(Contract):
    @pytest.fixture
    def url(self, fresh_sqlite: Path) -> str:
        return f"sqlite:///{fresh_sqlite}"
