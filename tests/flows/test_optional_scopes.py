"""An app asks for more than it needs, and the person leaves some of it out (RFC 6749 3.3)."""

from typing import Any

import pytest

from tests.flows.browser import Browser, Page
from tests.flows.today import PKCE, VERIFIER
from tests.house import App, Build, House, Person, parameters
from valetkey.protocol.model import Registration, Scope

MAY = Registration(optional_scope=("public_content", "comments", "likes"))
ASKED = "basic public_content comments likes"
WORDS = {
    "basic": Scope("basic", "See your profile"),
    "likes": Scope("likes", "Like things", optional=True),
    "comments": Scope("comments", "Comment", sensitive=True),
}


@pytest.fixture
async def app(house: House) -> App:
    return await house.make_app(profile="oauth21", registered=MAY)


async def asked(house: House, browser: Browser, app: App, scope: str = ASKED) -> Page:
    return await browser.open(house.authorize_url(app, scope=scope, **PKCE))


async def token(house: House, app: App, where: str | None) -> dict[str, Any]:
    """What the app is told."""
    assert where is not None
    fields = house.exchange_fields(app, parameters(where)["code"], redirect_uri=None, code_verifier=VERIFIER)
    answer = await house.http().post("/oauth/token", data=fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def answer(browser: Browser, page: Page, **boxes: str | None) -> str | None:
    """Press Allow with these boxes as they say and the others as they came."""
    said = {f"scope:{name}": value for name, value in boxes.items()}
    return (await browser.submit(page, page.consent_form, {"decision": "allow", **said})).left


async def test_boxes_come_ticked_unless_they_are_sensitive(house: House, browser: Browser, app: App) -> None:
    page = await asked(house, browser, app)
    form = page.consent_form
    assert page.boxes == {"scope:public_content": True, "scope:comments": False, "scope:likes": False}
    assert form.fields.keys() == {"csrf", "ticket"}  # R12: the request itself stays on the server
    body = await token(house, app, await answer(browser, page, public_content="yes"))
    assert body["scope"] == "basic public_content"


async def test_what_was_left_out_is_not_asked_for_at_each_login(
    house: House, browser: Browser, app: App, snoop: Person
) -> None:
    page = await asked(house, browser, app)
    body = await token(house, app, await answer(browser, page, comments="yes"))
    assert body["scope"] == "basic comments"
    [line] = await house.store.connected_apps(snoop.account.id)
    assert line.scope == ("basic", "comments")

    again = await asked(house, await house.logged_in(snoop), app)
    assert (await token(house, app, again.left))["scope"] == "basic comments"
    less = await asked(house, browser, app, "basic")
    assert (await token(house, app, less.left))["scope"] == "basic"
    page = await asked(house, browser, app, ASKED + " relationships")
    assert page.asks_consent and not page.boxes, "what is new cannot be left out, and the rest was answered"
    body = await token(house, app, await answer(browser, page))
    assert body["scope"] == "basic comments relationships"


async def test_only_what_was_left_out_is_asked_for(house: House, browser: Browser, app: App) -> None:
    """An app that needs it now, in answer to a click, asks for it alone: the person says so again."""
    await answer(browser, await asked(house, browser, app))
    page = await asked(house, browser, app, "likes")
    assert page.asks_consent and page.boxes == {"scope:likes": False}
    denied = await answer(browser, page)
    assert denied is not None and parameters(denied)["error"] == "access_denied"
    page = await asked(house, browser, app, "likes")
    assert (await token(house, app, await answer(browser, page, likes="yes")))["scope"] == "likes"


async def test_a_refresh_gives_no_more_than_was_allowed(house: House, browser: Browser, app: App) -> None:
    body = await token(house, app, await answer(browser, await asked(house, browser, app)))
    assert body["scope"] == "basic"
    fields = {"client_id": app.id, "client_secret": app.secret, "grant_type": "refresh_token"}
    fields["refresh_token"] = body["refresh_token"]
    wider = await house.http().post("/oauth/token", data=fields | {"scope": "basic likes"})
    assert (wider.status_code, wider.json()["error"]) == (400, "invalid_scope")  # C12
    assert (await house.http().post("/oauth/token", data=fields)).json()["scope"] == "basic"


async def test_what_was_not_offered_cannot_be_ticked(house: House, browser: Browser, app: App) -> None:
    """H5: names that were not asked for, or that are needed, or in other spellings."""
    page = await asked(house, browser, app, "basic likes")
    where = await answer(browser, page, relationships="yes", basic="", LIKES="yes", **{"likes ": "yes"})
    assert (await token(house, app, where))["scope"] == "basic"


async def test_the_operator_may_make_one_optional_for_every_app(build: Build) -> None:
    house: House = await build(scopes=WORDS)
    browser = await house.logged_in(await house.make_account())
    app = await house.make_app(profile="oauth21")
    page = await asked(house, browser, app, "basic likes comments")
    assert page.boxes == {"scope:likes": True}
    assert (await token(house, app, await answer(browser, page)))["scope"] == "basic comments"
    classic = await house.make_app()
    page = await browser.open(house.authorize_url(classic, scope="basic likes"))
    assert page.asks_consent and not page.boxes  # its answers could not say what was allowed


async def test_a_device_is_given_what_was_ticked(house: House, browser: Browser) -> None:
    code = "urn:ietf:params:oauth:grant-type:device_code"
    may = Registration(grant_types=(code,), optional_scope=("likes",))
    app = await house.make_app(type="native", profile="oauth21", registered=may)
    ask = {"client_id": app.id, "scope": "basic likes"}
    said = (await house.http().post("/oauth/device_authorization", data=ask)).json()
    page = await browser.fill("/device", "/device", user_code=said["user_code"])
    assert page.boxes == {"scope:likes": False}
    await browser.consent(page, "allow")
    poll = {"client_id": app.id, "grant_type": code, "device_code": said["device_code"]}
    assert (await house.http().post("/oauth/token", data=poll)).json()["scope"] == "basic"
