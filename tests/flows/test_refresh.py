"""Refresh tokens: a pair for a pair; an answer that was lost is told again; what was used twice ends (RFC 6749 6)."""

import asyncio
import re

import pytest
from msgspec.structs import replace

from tests.flows.browser import Browser
from tests.flows.today import check_refused, first_pair, next_pair, refresh
from tests.house import App, Build, House, Person
from valetkey.protocol.changes import Save
from valetkey.protocol.model import Registration
from valetkey.server import accounts
from valetkey.settings import TokenSettings

DAY = 86400


async def test_a_pair_for_a_pair(house: House, app: App, browser: Browser) -> None:
    first = await first_pair(house, browser, app, scope="basic likes")
    assert re.fullmatch(r"vk_rt_[0-9a-f]{12}[A-Za-z0-9_-]{43}[A-Za-z0-9]{6}", first["refresh_token"])
    house.clock.forward(3600)
    assert not await house.lives(first["access_token"])
    second = await next_pair(house, app, first)
    assert {name: second[name] for name in ("token_type", "scope", "expires_in")} == {
        "token_type": "Bearer",
        "scope": "basic likes",
        "expires_in": 3600,
    }
    assert await house.lives(second["access_token"])
    assert second["refresh_token"] != first["refresh_token"]
    third = await next_pair(house, app, second)
    assert len({pair["access_token"] for pair in (first, second, third)}) == 3


async def test_an_app_without_a_secret_refreshes_too(house: House, browser: Browser) -> None:
    app = await house.make_app(profile="oauth21", type="native")
    pair = await first_pair(house, browser, app)
    assert await house.lives((await next_pair(house, app, pair))["access_token"])


async def test_an_answer_that_was_lost_is_told_again(house: House, app: App, browser: Browser) -> None:
    first = await first_pair(house, browser, app)
    lost = await next_pair(house, app, first)
    house.clock.forward(119)
    again = await next_pair(house, app, first)
    assert again == lost | {"expires_in": 3600 - 119}, "the same, and it says how long it still lives"
    assert await house.lives(again["access_token"])
    other = await house.another_worker()
    assert await next_pair(other, app, first) == again, "whichever process is asked"
    await next_pair(house, app, again)


async def test_fifty_at_once_are_told_the_same(house: House, app: App, browser: Browser) -> None:
    first, other = await first_pair(house, browser, app), await house.another_worker()
    told = await asyncio.gather(*(next_pair((house, other)[turn % 2], app, first) for turn in range(50)))
    assert all(pair == told[0] for pair in told)
    assert await house.lives((await next_pair(house, app, told[0]))["access_token"])


async def test_tabs_that_ask_for_different_things_have_one_refresh_token(
    house: House, app: App, browser: Browser
) -> None:
    first = await first_pair(house, browser, app, scope="basic likes")
    all_of_it, less = await asyncio.gather(
        next_pair(house, app, first), next_pair(house, app, first, scope="basic")
    )
    assert (all_of_it["scope"], less["scope"]) == ("basic likes", "basic")
    assert all_of_it["refresh_token"] == less["refresh_token"]
    assert all_of_it["access_token"] != less["access_token"]
    for pair in (all_of_it, less):
        assert await house.lives(pair["access_token"])
    assert (await next_pair(house, app, less))["scope"] == "basic likes", "the refresh token keeps all of it"


@pytest.mark.parametrize("late", [False, True], ids=["used", "late"])
async def test_what_is_used_twice_ends(house: House, app: App, browser: Browser, late: bool) -> None:
    """Its successor was used, or its window is over: two hold it, and nobody can tell which is the thief."""
    first, apart = await first_pair(house, browser, app), await first_pair(house, browser, app)
    second = await next_pair(house, app, first)
    last = second
    if late:
        house.clock.forward(120)
    else:
        last = await next_pair(house, app, second)
    answer = await refresh(house, app, first)
    check_refused(answer)
    assert "used before" in answer.json()["error_description"]
    for pair in (second, last):
        assert not await house.lives(pair["access_token"])
        check_refused(await refresh(house, app, pair))
    assert await house.lives(apart["access_token"]), "what came from another yes stays"
    [told] = await house.store.notices(app.id, 9)
    assert (told.account_id, told.kind, told.at) == (
        house.people["snoopdogg"].account.id,
        "refresh_reused",
        house.clock.now,
    )


async def test_an_app_that_comes_back_may_stay_for_half_a_year(
    house: House, app: App, browser: Browser, snoop: Person
) -> None:
    pair = await first_pair(house, browser, app)
    for _ in range(6):
        house.clock.forward(30 * DAY - 1)
        pair = await next_pair(house, app, pair)
    house.clock.forward(6)
    check_refused(await refresh(house, app, pair))
    pair = await first_pair(house, await house.logged_in(snoop), app)
    house.clock.forward(30 * DAY)
    check_refused(await refresh(house, app, pair))
    assert await house.store.notices(app.id, 9) == []


async def test_the_operator_says_how_long(build: Build) -> None:
    times = TokenSettings(refresh_lifetime=100, refresh_absolute=150, retry_window=0)
    house = await build(tokens=times)
    browser = await house.logged_in(await house.make_account())
    app = await house.make_app(profile="oauth21")
    first = await first_pair(house, browser, app)
    house.clock.forward(99)
    second = await next_pair(house, app, first)
    house.clock.forward(51)
    check_refused(await refresh(house, app, second))
    first = await first_pair(house, browser, app)
    await next_pair(house, app, first)
    check_refused(await refresh(house, app, first))
    assert len(await house.store.notices(app.id, 9)) == 1, "without a window a retry is a reuse"


async def test_whoever_takes_access_back_ends_it_at_once(
    house: House, app: App, browser: Browser, snoop: Person
) -> None:
    async def ended(pair: dict[str, str]) -> None:
        check_refused(await refresh(house, app, pair))
        assert not await house.lives(pair["access_token"])

    pair = await first_pair(house, browser, app)
    lost = await next_pair(house, app, pair)
    await accounts.revoke_app(house.server, snoop.account, app.id)
    await ended(pair)
    await ended(lost)
    pair = await first_pair(house, browser, app)
    await accounts.set_password(house.server, snoop.account.id, "another password that is long")
    await ended(pair)
    browser = await house.logged_in(replace_password(snoop, "another password that is long"))
    pair = await first_pair(house, browser, app)
    await accounts.disable(house.server, snoop.account.id)
    await ended(pair)
    assert await house.store.notices(app.id, 9) == [], "nobody is told of what they did themselves"


def replace_password(person: Person, password: str) -> Person:
    return Person(person.account, password)


async def test_an_app_must_have_the_grant(house: House, app: App, browser: Browser) -> None:
    pair = await first_pair(house, browser, app)
    now = await house.store.client(app.id)
    assert now is not None
    without = replace(
        now, registered=Registration(grant_types=("authorization_code",)), version=now.version + 1
    )
    await house.store.apply((Save(without),))
    check_refused(await refresh(house, app, pair), "unauthorized_client")
    assert "refresh_token" not in await first_pair(house, browser, app)


async def test_requests_that_lack_something(house: House, app: App, browser: Browser) -> None:
    pair = await first_pair(house, browser, app)
    check_refused(await refresh(house, app, pair, refresh_token=None), "invalid_request")
    for odd in (
        "x",
        pair["refresh_token"] + "x",
        pair["refresh_token"][:-1],
        pair["access_token"],
        "é",
    ):
        check_refused(await refresh(house, app, pair, refresh_token=odd))
    check_refused(await refresh(house, app, pair, scope="basic likes"), "invalid_scope")
    check_refused(await refresh(house, app, pair, scope='no"thing'), "invalid_scope")
    assert (await next_pair(house, app, pair, scope="basic"))["scope"] == "basic"


async def test_person_and_developer_are_told(house: House, app: App, browser: Browser) -> None:
    """Once, whatever else is tried with what is dead."""
    first = await first_pair(house, browser, app)
    page = await browser.open("/accounts/manage_access/")
    assert "old key" not in page.text
    second = await next_pair(house, app, await next_pair(house, app, first))
    for _ in range(2):
        check_refused(await refresh(house, app, first))
        check_refused(await refresh(house, app, second))
    page = await browser.open("/accounts/manage_access/")
    assert page.text.count("On 15 January 2027 somebody used an old key of this app") == 1
    desk = await house.logged_in(house.people["developer"])
    page = await desk.open(f"/developer/apps/{app.id}/")
    assert "Refresh tokens used twice" in page.text and "more than 120 seconds late" in page.text
    assert "snoop" not in page.text.lower(), "whose it was is no business of the developer's"
    other = await house.make_app(name="Other")
    assert "used twice" not in (await desk.open(f"/developer/apps/{other.id}/")).text
