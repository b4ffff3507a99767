"""Apps give back what they hold: a token, or the whole connection; and nobody else can (RFC 7009)."""

import pytest

from tests.flows.browser import Browser
from tests.flows.questions import DEAD, give_back, refresh_token_of, registered, told
from tests.flows.today import token_of
from tests.house import App, House


async def test_an_access_token_ends_alone(house: House, browser: Browser, app: App) -> None:
    worker = await house.another_worker()
    server = await registered(house, introspects=True)
    token = await token_of(house, browser, app)
    refresh = await refresh_token_of(house, token)
    other = await token_of(house, browser, app)
    assert await worker.lives(token) and (await told(worker, server, token))["active"] is True
    answer = await give_back(house, app, token)
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["cache-control"] == "no-store"
    assert not await worker.lives(token) and await told(worker, server, token) == DEAD
    assert await worker.lives(other)
    assert (await told(worker, app, refresh))["active"] is True
    assert (await give_back(house, app, token)).status_code == 200  # as often as one likes


async def test_a_refresh_token_takes_everything_with_it(house: House, browser: Browser, app: App) -> None:
    worker = await house.another_worker()
    token, other = await token_of(house, browser, app), await token_of(house, browser, app)
    refresh = await refresh_token_of(house, token)
    assert (await told(worker, app, refresh))["active"] is True
    assert (await give_back(house, app, refresh, token_type_hint="access_token")).status_code == 200
    assert await told(worker, app, refresh) == DEAD
    assert not await worker.lives(token)
    assert await worker.lives(other)  # of another act of granting


@pytest.mark.parametrize("kind", ["spa", "native"])
async def test_public_apps_say_who_they_are(house: House, browser: Browser, kind: str) -> None:
    where = ("com.example.app:/cb",) if kind == "native" else ()
    app = await house.make_app(*where, profile="oauth21", type=kind)
    token = await token_of(house, browser, app, client_secret=None)
    assert await house.lives(token)
    assert (await give_back(house, app, token)).status_code == 200
    assert not await house.lives(token)


async def test_what_is_unknown_is_as_good_as_given_back(house: House, app: App) -> None:
    for token in ("x", "vk_at_wrong", "vk_rt_wrong", "a.b.c", "é", "0" * 4000):
        for hint in ({}, {"token_type_hint": "refresh_token"}, {"token_type_hint": "what"}):
            answer = await give_back(house, app, token, **hint)
            assert (answer.status_code, answer.json()) == (200, {})


async def test_nobody_ends_what_another_holds(house: House, browser: Browser, app: App) -> None:
    token = await token_of(house, browser, app)
    refresh = await refresh_token_of(house, token)
    thief = await house.make_app(profile="oauth21", name="Thief")
    for shown in (token, refresh):
        answer = await give_back(house, thief, shown)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert await house.lives(token) and (await told(house, app, refresh))["active"] is True


async def test_a_page_of_another_site_can_ask(house: House) -> None:
    for path in ("/oauth/revoke", "/oauth/introspect"):
        before = await house.raw("OPTIONS", path, headers=[(b"origin", b"https://spa.example")])
        assert before.status == 204 and before.header("access-control-allow-origin") == "*"
