"""An app with much to take along is removed on PostgreSQL: its requests wait for nothing, and hold up nobody else's."""

import asyncio

import pytest

from tests.house import Build
from tests.waiting import becomes
from valetkey.server import clients
from valetkey.store.address import parse
from valetkey.store.postgres_way import connect

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)
ITS_TOKENS = (
    "SELECT 1 FROM tokens WHERE authorization_id IN (SELECT id FROM authorizations WHERE client_id = $1)"
    " FOR UPDATE"
)
WAITS = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)"


async def test_while_an_app_goes_the_others_are_served(build: Build):
    house = await build()
    snoop = await house.make_account()
    browser = await house.logged_in(snoop)
    going, other = await house.make_app(), await house.make_app()
    await house.token(browser, going)
    codes = [(app, await house.code(browser, app)) for _ in range(6) for app in (going, other)]
    beside = await connect(parse(house.server.settings.database))
    async with beside.transaction():
        await beside.execute(ITS_TOKENS, going.id)  # the removal takes as long as this
        owner = house.people["developer"].account
        removal = asyncio.create_task(clients.delete(house.server, owner, going.id))
        await becomes(lambda: beside.fetchval(WAITS), "the removal waits")
        async with asyncio.timeout(4):
            answers = await asyncio.gather(*(house.exchange(*each) for each in codes))
    await removal
    await beside.close()
    assert [answer.status_code for answer in answers] == [400, 200] * 6
    assert await house.store.client(going.id) is None
