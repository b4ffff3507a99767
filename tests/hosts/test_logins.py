"""Two hosts share a PostgreSQL: who logs in at one while the password is changed at the other is out (G4)."""

import asyncio

import pytest

from tests.house import PASSWORD, Build
from tests.waiting import becomes
from valetkey.protocol.changes import Save
from valetkey.protocol.model import Consent
from valetkey.server import accounts, login
from valetkey.store.address import parse
from valetkey.store.postgres_way import connect

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)
GRANT = "SELECT 1 FROM consents WHERE account_id = $1 FOR KEY SHARE"
WAITS = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)"


async def test_a_login_beside_a_new_password_comes_before_it_or_not_at_all(build: Build):
    """The change has ended the sessions and waits for a grant under way, or for the disk; it is not there yet."""
    house, other = await build(), await build()
    snoop = await house.make_account()
    await house.store.apply((Save(Consent(snoop.account.id, "app", ("basic",), house.clock())),))
    beside = await connect(parse(house.server.settings.database))
    async with beside.transaction():
        await beside.execute(GRANT, snoop.account.id)
        change = asyncio.create_task(accounts.set_password(house.server, snoop.account.id, "another phrase"))
        await becomes(lambda: beside.fetchval(WAITS), "the change waits")
        attempt = login.Attempt(snoop.username, PASSWORD, "192.0.2.7")
        entering = asyncio.create_task(login.log_in(other.server, attempt))
        await asyncio.wait([entering], timeout=0.5)
    await change
    await entering
    await beside.close()
    assert await house.store.sessions_of(snoop.account.id) == []
