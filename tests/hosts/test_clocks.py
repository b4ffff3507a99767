"""Hosts whose clocks differ by some seconds share a store: nothing is revived, and nobody is shut out or logged out."""

import os
from typing import Any

import pytest

from tests.house import PASSWORD, App, Build, House, Person
from tests.store.samples import digest
from valetkey.protocol.changes import Once
from valetkey.server import accounts, housekeeping, login
from valetkey.settings import ApiSettings, LoginSettings, SessionSettings
from valetkey.store.base import Conflict

AHEAD, BEHIND = 7, -8  # seconds
APART = AHEAD - BEHIND

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)


@pytest.fixture
def hosts(build: Build) -> Any:
    """Two hosts, the first of which is ahead or behind. The clock that a test turns is between theirs."""

    async def make(turned: bool, **settings: Any) -> tuple[House, House]:
        skews = (BEHIND, AHEAD) if turned else (AHEAD, BEHIND)
        one, other = [await build(skew=skew, **settings) for skew in skews]
        other.people = one.people
        return one, other

    return make


both_ways = pytest.mark.parametrize("turned", [False, True], ids=["first-ahead", "first-behind"])


async def furnished(house: House) -> tuple[Person, App]:
    return await house.make_account(), await house.make_app()


@both_ways
async def test_a_code_lives_as_long_as_it_should_but_for_the_difference(hosts: Any, turned: bool):
    one, other = await hosts(turned)
    snoop, app = await furnished(one)
    browser = await one.logged_in(snoop)
    at_once, late, too_late = [await one.code(browser, app) for _ in range(3)]
    token = (await other.exchange(app, at_once)).json()["access_token"]
    assert await one.lives(token) and await other.lives(token)
    one.clock.forward(600 - APART - 1)
    assert (await other.exchange(app, late)).status_code == 200
    one.clock.forward(2 * APART + 1)
    assert (await other.exchange(app, too_late)).json()["code"] == 400


@both_ways
async def test_a_replay_anywhere_ends_the_token_everywhere(hosts: Any, turned: bool):
    one, other = await hosts(turned)
    snoop, app = await furnished(one)
    code = await one.code(await one.logged_in(snoop), app)
    token = (await one.exchange(app, code)).json()["access_token"]
    assert (await other.exchange(app, code)).status_code == 400
    assert not await one.lives(token) and not await other.lives(token)


@both_ways
async def test_what_was_taken_back_is_dead_and_what_was_given_after_it_lives(hosts: Any, turned: bool):
    """Also where the other host's clock says that the one came before the other."""
    one, other = await hosts(turned)
    snoop, app = await furnished(one)
    browser = await one.logged_in(snoop)
    waiting, token = await one.code(browser, app), await one.token(browser, app)
    await accounts.revoke_app(one.server, snoop.account, app.id)
    elsewhere = await other.logged_in(snoop)
    again = await other.token(elsewhere, app)
    for house in (one, other):
        assert not await house.lives(token)
        assert (await house.exchange(app, waiting)).status_code == 400
        assert await house.lives(again)
        await housekeeping.clean(house.server, "me")
        assert await house.lives(again) and not await house.lives(token)
    assert len(await accounts.connected_apps(one.server, snoop.account)) == 1


@both_ways
async def test_who_goes_from_host_to_host_stays_logged_in(hosts: Any, turned: bool):
    idle = 200
    one, other = await hosts(turned, session=SessionSettings(idle=idle, absolute=20 * idle))
    snoop, _ = await furnished(one)
    session = await login.open_session(one.server, snoop.account, login.Attempt(snoop.username, "", ""), None)

    async def inside(house: House) -> bool:
        return await login.signed_in(house.server, session) is not None

    for turn in range(12):
        one.clock.forward(idle // 4)
        assert await inside((one, other)[turn % 2])
        await housekeeping.clean((other, one)[turn % 2].server, "me")
    step = idle - APART - 1
    one.clock.forward(step)
    assert await inside(one) and await inside(other)
    step = idle + APART + idle // login.SEEN_STEPS
    one.clock.forward(step)
    assert not await inside(one) and not await inside(other)


@both_ways
async def test_an_absolute_end_is_the_end_everywhere(hosts: Any, turned: bool):
    one, other = await hosts(turned, session=SessionSettings(idle=100, absolute=300))
    snoop, _ = await furnished(one)
    session = await login.open_session(one.server, snoop.account, login.Attempt(snoop.username, "", ""), None)
    for turn in range(30):
        one.clock.forward(20)
        if await login.signed_in((one, other)[turn % 2].server, session) is None:
            break
    assert 300 - APART - 20 <= 20 * (turn + 1) <= 300 + APART + 20


@both_ways
async def test_guessing_is_counted_together_and_nobody_waits_for_longer_than_a_window(
    hosts: Any, turned: bool
):
    limits = LoginSettings(attempts_per_account=4, window=60)
    one, other = await hosts(turned, login=limits)
    snoop, _ = await furnished(one)

    async def tries(house: House, password: str) -> str:
        attempt = login.Attempt(snoop.username, password, "192.0.2.9")
        return type(await login.log_in(house.server, attempt)).__name__

    guesses = [await tries((one, other)[turn % 2], "wrong") for turn in range(6)]
    assert guesses == ["Wrong"] * 4 + ["Throttled"] * 2
    assert await tries(one, PASSWORD) == await tries(other, PASSWORD) == "Throttled"
    one.clock.forward(limits.window + APART)
    assert await tries(one, PASSWORD) == await tries(other, PASSWORD) == "LoggedIn"


@both_ways
async def test_a_clock_that_was_an_hour_ahead_shuts_nobody_out(hosts: Any, turned: bool):
    limits = LoginSettings(attempts_per_account=2, window=60)
    one, _ = await hosts(turned, login=limits)
    snoop, _ = await furnished(one)
    keys = [login.ACCOUNT_PREFIX + snoop.account.canonical]
    await one.store.attempt(keys, one.server.clock() + 3600, limits.window)
    for _ in range(2):
        await login.log_in(one.server, login.Attempt(snoop.username, "wrong", "192.0.2.9"))
    one.clock.forward(limits.window)
    right = login.Attempt(snoop.username, PASSWORD, "192.0.2.9")
    assert isinstance(await login.log_in(one.server, right), login.LoggedIn)


@both_ways
async def test_a_host_cleans_nothing_away_that_lives_on_another(hosts: Any, turned: bool):
    one, other = await hosts(turned)
    snoop, app = await furnished(one)
    browser = await one.logged_in(snoop)
    page = await browser.open(one.authorize_url(app))  # a ticket
    now = one.server.clock()
    key = digest("jti")
    await one.store.apply((Once(key, now + 300),))
    one.clock.forward(299)
    await housekeeping.clean(other.server, "me")
    with pytest.raises(Conflict):  # seen before, as long as anybody could show it again
        await one.store.apply((Once(key, now + 300),))
    one.clock.forward(3600 - 300)
    await housekeeping.clean(other.server, "me")
    assert (await browser.consent(page, "allow")).left is not None


@both_ways
async def test_the_lease_has_one_holder_and_finds_another(hosts: Any, turned: bool):
    one, other = await hosts(turned)

    async def lease(house: House, holder: str) -> bool:
        return await house.store.lease("housekeeping", holder, house.server.clock(), housekeeping.LEASE)

    assert await lease(one, "one") and not await lease(other, "other")
    one.clock.forward(housekeeping.LEASE - APART - 1)
    assert not await lease(other, "other") and await lease(one, "one")
    one.clock.forward(housekeeping.LEASE + APART)
    assert await lease(other, "other") and not await lease(one, "one")


@both_ways
async def test_an_hour_allows_what_it_allows_on_each_clock(hosts: Any, turned: bool):
    one, other = await hosts(turned, api=ApiSettings(rate_limit=6))
    snoop, app = await furnished(one)
    token = await one.token(await one.logged_in(snoop), app)
    one.clock.forward(3600 - one.clock() % 3600)  # the one that is ahead is in the next hour
    statuses = [(await (one, other)[turn % 2].me(token)).status_code for turn in range(14)]
    assert statuses == [200] * 12 + [429] * 2
    for house in (one, other):
        await housekeeping.clean(house.server, "me")
        assert (await house.me(token)).status_code == 429
    one.clock.forward(APART)
    assert [(await house.me(token)).status_code for house in (one, other)] == [429, 429]


@both_ways
async def test_a_password_that_was_changed_ends_every_session(hosts: Any, turned: bool):
    one, other = await hosts(turned)
    snoop, app = await furnished(one)
    browser = await one.logged_in(snoop)
    token = await one.token(browser, app)
    session = await login.open_session(one.server, snoop.account, login.Attempt(snoop.username, "", ""), None)
    await accounts.set_password(other.server, snoop.account.id, os.urandom(12).hex())
    assert await login.signed_in(one.server, session) is None
    assert not await one.lives(token) and not await other.lives(token)
