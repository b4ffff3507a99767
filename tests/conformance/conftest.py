"""A server, a person in a browser, and the two clients that every plan has."""

from pathlib import Path

import pytest

from tests.conformance.client import (
    MESSAGE_SIGNING,
    SECOND_CALLBACK,
    SECURITY_PROFILE,
    FapiClient,
    Variant,
)
from tests.house import Build, House, browser, build, clock, snoop
from valetkey.protocol.detail_type import DetailType

__all__ = ["browser", "build", "clock", "snoop"]


@pytest.fixture
def database(fresh_sqlite: Path) -> str:
    """One kind of database: what differs between them is held by the stores' own contract."""
    return f"sqlite:///{fresh_sqlite}"


@pytest.fixture
async def house(build: Build) -> House:
    """With the type that is asked for where a plan asks in detail (RFC 9396), as conformance/valetkey.toml has it."""
    made: House = await build(authorization_details=(DetailType("account_information", "See {actions}"),))
    return made


@pytest.fixture(params=[SECURITY_PROFILE, MESSAGE_SIGNING], ids=lambda variant: variant.name)
def variant(request: pytest.FixtureRequest) -> Variant:
    """Both plans; a module of one of them alone says so."""
    found: Variant = request.param
    return found


@pytest.fixture
async def client(house: House, variant: Variant) -> FapiClient:
    """The first client: RSA keys, as its configuration has them, so that RS256 can be tried."""
    return await FapiClient.made(house, variant, "PS256")


@pytest.fixture
async def client2(house: House, variant: Variant) -> FapiClient:
    """The second: other keys, and a redirect URI with a query of its own."""
    return await FapiClient.made(house, variant, redirect_uri=SECOND_CALLBACK)
