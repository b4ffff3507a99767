"""What every test may ask for: a store's empty place, a real PostgreSQL, and how long a campaign may be."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.throwaway_postgres import ThrowawayPostgres

pytest.register_assert_rewrite("tests.store.contract")

hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.register_profile("ci", parent=hypothesis.settings.get_profile("house"), derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--torture",
        choices=("short", "long"),
        default=os.environ.get("VALETKEY_TORTURE", "short"),
        help="how long the torture campaigns run",
    )
    parser.addoption(
        "--mutants",
        metavar="FILES",
        default="**/*.py",
        help="the long campaign of mutants looks at these files of protocol only: rules/jw*.py",
    )


@pytest.fixture(scope="session")
def long_torture(request: pytest.FixtureRequest) -> bool:
    """Whether a campaign has minutes (./dev torture) or must be through in seconds (./dev test)."""
    return request.config.getoption("--torture") == "long"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def fresh_sqlite(tmp_path: Path) -> Path:
    """Where an SQLite database may be made; nothing is there yet."""
    return tmp_path / "valetkey.db"


@pytest.fixture(scope="session")
def postgres() -> Iterator[ThrowawayPostgres]:
    """The one PostgreSQL of this run, started when the first test asks."""
    server = ThrowawayPostgres()
    yield server
    server.discard()


@pytest.fixture(scope="session")
def postgres_url(postgres: ThrowawayPostgres) -> str:
    """The URL of its maintenance database, for tests that make their own."""
    return postgres.url()


@pytest.fixture
def fresh_postgres(postgres: ThrowawayPostgres) -> Iterator[str]:
    """The URL of an empty database that is dropped after the test."""
    name = f"test_{uuid.uuid4().hex}"
    postgres.sql(f"CREATE DATABASE {name}")
    yield postgres.url(name)
    postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")
