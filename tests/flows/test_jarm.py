"""Answers that are signed: response_mode=jwt (JARM). What the query would have said, in one JWT by a published key."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.flows.browser import Browser
from tests.flows.today import PKCE, check_refused, push, redeem
from tests.house import ONE_STORE, SITE, App, House, parameters
from tests.reading import read

ASKED = PKCE | {"response_mode": "jwt", "state": "s t&u"}
pytestmark = ONE_STORE


@pytest.fixture
async def app(house: House) -> App:
    return await house.make_app("https://app.example/callback?own=1", profile="oauth21")


async def opened(house: House, where: str) -> dict[str, Any]:
    """The claims of the one JWT behind the redirect_uri, verified."""
    found = parameters(where)
    assert set(found) == {"own", "response"} and not urlsplit(where).fragment
    _, told = read(found["response"], await house.keys())
    return told


@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
async def test_a_signed_yes(house: House, app: App, browser: Browser, mode: str) -> None:
    told = await opened(house, await house.allow(browser, app, **ASKED | {"response_mode": mode}))
    code = told.pop("code")
    assert told == {"state": "s t&u", "iss": SITE, "aud": app.id, "exp": house.clock.now + 300}
    assert (await redeem(house, app, code)).status_code == 200


async def test_a_signed_no(house: House, app: App, browser: Browser) -> None:
    page = await browser.open(house.authorize_url(app, **ASKED))
    page = await browser.consent(page, "deny")
    assert page.left is not None
    told = await opened(house, page.left)
    assert (told["error"], told["state"], told["aud"]) == ("access_denied", "s t&u", app.id)


async def test_a_signed_error(house: House, app: App, browser: Browser) -> None:
    page = await browser.open(house.authorize_url(app, **ASKED | {"scope": "nonsense"}))
    assert page.left is not None
    told = await opened(house, page.left)
    assert told["error"] == "invalid_scope" and told["exp"] == house.clock.now + 300


async def test_a_mode_that_is_not_ours_is_refused_in_the_open(
    house: House, app: App, browser: Browser
) -> None:
    page = await browser.open(house.authorize_url(app, **ASKED | {"response_mode": "form_post.jwt"}))
    assert page.left is not None and "error=invalid_request" in page.left and "response=" not in page.left


async def test_the_plain_mode_may_be_named(house: House, app: App, browser: Browser) -> None:
    where = await house.allow(browser, app, **ASKED | {"response_mode": "query"})
    assert set(parameters(where)) == {"own", "code", "state", "iss"}


async def test_classic_does_not_know_modes(house: House, browser: Browser) -> None:
    app = await house.make_app(profile="classic")
    where = await house.allow(browser, app, response_mode="jwt", state="s")
    assert set(parameters(where)) == {"code", "state"}


@pytest.mark.parametrize("alg", ["", "PS256"])
async def test_who_signs_nothing_says_so_in_the_open(
    house: House, app: App, browser: Browser, alg: str
) -> None:
    """No master key; or an algorithm that the operator gave up since the app chose it."""
    app = await house.registered(app, authorization_signed_response_alg=alg)
    if not alg:
        house.server.keys.take([])
    pushed = await push(house, app, response_mode="jwt")
    check_refused(pushed, "invalid_request")
    page = await browser.open(house.authorize_url(app, **ASKED))
    assert page.left is not None and page.left.startswith(app.redirect_uri), "and nobody is asked"
    told = parameters(page.left)
    assert (told["error"], told["state"], told["iss"]) == ("invalid_request", "s t&u", SITE)
    assert "code" not in told and "response" not in told
    plain = await browser.open(house.authorize_url(app, **PKCE))
    assert plain.asks_consent
    page = await browser.open(house.authorize_url(app, **ASKED | {"response_type": "token"}))
    assert page.left is not None and parameters(page.left)["error"] == "unsupported_response_type"
