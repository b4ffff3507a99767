"""Which database an address names."""

import re

import pytest

from valetkey.store import open_store
from valetkey.store.address import Address, parse
from valetkey.store.memory import MemoryStore


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("memory://", Address("memory")),
        ("sqlite:///valetkey.db", Address("sqlite", "valetkey.db")),
        ("sqlite:////var/lib/valet%20key/a.db", Address("sqlite", "/var/lib/valet key/a.db")),
        ("postgresql://me:pw@host:5/name", Address("postgresql", "postgresql://me:pw@host:5/name")),
        ("postgres://host/name", Address("postgresql", "postgres://host/name")),
        ("postgresql:///name?host=/run", Address("postgresql", "postgresql:///name?host=/run")),
        (
            "postgresql://host/name?pgbouncer=1&sslmode=require",
            Address("postgresql", "postgresql://host/name?sslmode=require", True),
        ),
        (
            "postgresql://me:p%40@a:1,b/name?target_session_attrs=read-write",
            Address("postgresql", "postgresql://me:p%40@a:1/name", False, ("postgresql://me:p%40@b/name",)),
        ),
        (
            "postgresql://me@/name?host=/run/a,b&port=5,6&pgbouncer=true",
            Address(
                "postgresql",
                "postgresql://me@/name?host=/run/a&port=5",
                True,
                ("postgresql://me@/name?host=b&port=6",),
            ),
        ),
        (
            "postgres:///name?host=a,b",
            Address("postgresql", "postgres:///name?host=a", False, ("postgres:///name?host=b",)),
        ),
    ],
)
def test_addresses(url: str, address: Address) -> None:
    assert parse(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "valetkey.db",
        "mysql://host/name",
        "sqlite://",
        "sqlite:///",
        "sqlite:valetkey.db",
        "sqlite:/var/lib/valetkey.db",
        "sqlite://host/file",
        "sqlite:///a?b=c",
    ],
)
def test_an_unknown_address_is_refused_and_the_known_ones_are_named(url: str) -> None:
    with pytest.raises(ValueError, match=re.escape("sqlite:///relative.db")):
        open_store(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://a,b/name?target_session_attrs=standby", "every valetkey writes"),
        ("postgresql:///name?host=a,b,c&port=1,2", "3 hosts are named with 2 ports"),
    ],
)
def test_an_address_that_can_mean_nothing_is_refused(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(url)


def test_only_the_named_engine_is_made() -> None:
    assert isinstance(open_store("memory://"), MemoryStore)
