"""D. Clients: how they prove who they are, what they may be called, and whose they are."""

import base64
from pathlib import Path
from urllib.parse import urlencode

import asyncpg
import httpx2
import pytest
from msgspec.structs import replace

from tests.flows.browser import Browser
from tests.house import PASSWORD, SITE, App, Build, House, Person
from tests.signing import keyed
from valetkey.protocol.changes import Save
from valetkey.protocol.rules.client_assertion import JWT_BEARER
from valetkey.server import accounts
from valetkey.server.problems import Problems
from valetkey.settings import AppSettings


@pytest.fixture
async def app(house: House) -> App:
    return await house.make_app()


@pytest.fixture
async def today(house: House) -> App:
    return await house.make_app(name="Today", profile="oauth20")


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def at_token(house: House, fields: dict[str, str], headers: dict[str, str]) -> httpx2.Response:
    return await house.http().post("/oauth/token", data=fields, headers=headers)


async def test_D1_a_secret_does_not_belong_into_the_address(
    house: House, app: App, today: App, browser: Browser
) -> None:
    """RFC 6749 2.3.1; and what is refused has not used the code up."""
    for each, path in ((app, "/oauth/access_token"), (today, "/oauth/token")):
        code = await house.code(browser, each)
        fields = house.exchange_fields(each, code)
        for moved in (["client_secret"], ["client_id", "client_secret"], list(fields)):
            query = urlencode({name: fields[name] for name in moved})
            body = {name: value for name, value in fields.items() if name not in moved}
            for said in (body, fields):
                answer = await house.http().post(f"{path}?{query}", data=said)
                assert answer.status_code == 400 and "access_token" not in answer.json()
        answer = await house.http().get(path, params=fields)
        assert answer.status_code == 405
        assert (await house.http().post(path, data=fields)).status_code == 200


async def test_D2_two_ways_at_once(house: House, app: App, today: App, browser: Browser) -> None:
    code = await house.code(browser, today)
    fields = house.exchange_fields(today, code)
    bare = house.exchange_fields(today, code, client_secret=None)
    right = basic(today.id, today.secret or "")
    assert (await at_token(house, fields, right)).json()["error"] == "invalid_request"
    assert (await at_token(house, bare | {"client_id": app.id}, right)).json()["error"] == "invalid_request"
    theirs = basic(app.id, app.secret or "")
    assert (await at_token(house, bare, theirs)).json()["error"] == "invalid_request"
    assert (await at_token(house, fields, theirs)).json()["error"] == "invalid_request"
    assert (await at_token(house, bare, right)).status_code == 200
    code = await house.code(browser, app)
    answer = await house.http().post(
        "/oauth/access_token", data=house.exchange_fields(app, code), headers=basic(app.id, "other")
    )
    assert answer.json()["error_message"] == "Invalid Client Secret"


async def test_D3_a_missing_or_empty_secret(house: House, app: App, today: App, browser: Browser) -> None:
    """CVE-2026-44476: a confidential client whose secret nobody asked for."""
    for each, path in ((app, "/oauth/access_token"), (today, "/oauth/token")):
        code = await house.code(browser, each)
        for secret in (None, "", " ", "\n", "0", "null", "None", "undefined", "true"):
            fields = house.exchange_fields(each, code, client_secret=secret)
            answer = await house.http().post(path, data=fields)
            assert answer.status_code in (400, 401), secret
    fields = house.exchange_fields(today, code, client_id=None, client_secret=None)
    for header in (basic(today.id, ""), basic(today.id + ":", ""), {"authorization": "Basic " + today.id}):
        assert (await at_token(house, fields, header)).status_code == 401


async def test_D3_a_public_client_has_no_secret_that_would_do(house: House, browser: Browser) -> None:
    app = await house.make_app(name="Public", type="spa", profile="classic", allow_implicit=True)
    code = await house.code(browser, app)
    for secret in (None, "", "x"):
        answer = await house.exchange(app, code, client_secret=secret)
        assert answer.status_code == 400 and "access_token" not in answer.json()


async def test_D4_guessing_secrets_gets_slow(build: Build) -> None:
    """For the pair of network and client; others, and the right secret from elsewhere, are not in the way."""
    house = await build(apps=AppSettings(secret_failures=5))
    app, other = await house.make_app(), await house.make_app(name="Other")
    browser = await house.logged_in(await house.make_account())
    code = await house.code(browser, app)
    for _ in range(5):
        answer = await house.exchange(app, code, client_secret="guess")
        assert answer.json()["error_message"] == "Invalid Client Secret"
    answer = await house.exchange(app, code)
    assert answer.status_code == 429 and answer.headers["retry-after"] == "60"
    assert answer.json()["code"] == 429 and set(answer.json()) == {"code", "error_type", "error_message"}
    assert (await house.exchange(other, await house.code(browser, other))).status_code == 200
    fields = house.exchange_fields(app, code)
    elsewhere = house.http("203.0.113.9")
    assert (await elsewhere.post("/oauth/access_token", data=fields)).status_code == 200
    house.clock.forward(60)
    assert (await house.exchange(app, await house.code(browser, app))).status_code == 200


async def test_D4_one_app_that_guesses_is_in_nobodys_way(build: Build) -> None:
    """Whichever way it says who it is: by a header, a body, or the JWT that its secret signs."""
    house = await build(apps=AppSettings(secret_failures=3))
    app, other = [await house.make_app(name=name, type="service", profile="oauth21") for name in ("A", "B")]
    asks = {"grant_type": "client_credentials"}
    for _ in range(3):
        answer = await house.form("/oauth/token", basic(app.id, "guess"), **asks)
        assert answer.json()["error"] == "invalid_client"
    assert other.secret is not None and app.secret is not None
    assert (await house.form("/oauth/token", basic(app.id, app.secret), **asks)).status_code == 429
    signs = {"iss": app.id, "sub": app.id, "aud": SITE, "exp": house.clock() + 60, "jti": "1"}
    signed = {"client_assertion_type": JWT_BEARER, "client_assertion": keyed(signs, app.secret.encode())}
    assert (await house.form("/oauth/token", **asks, **signed)).status_code == 429
    assert (await house.form("/oauth/token", basic(other.id, other.secret), **asks)).status_code == 200
    assert (await house.form("/oauth/token", **asks)).json()["error"] == "invalid_client"
    house.clock.forward(60)
    assert (await house.form("/oauth/token", basic(app.id, app.secret), **asks)).status_code == 200


async def test_D4_secrets_are_long_and_random(house: House) -> None:
    secrets = [(await house.make_app(name=f"App {n}")).secret or "" for n in range(4)]
    assert len(set(secrets)) == 4
    assert all(secret.startswith("vk_cs_") and len(secret) == 6 + 43 + 6 for secret in secrets)


DECEIVING = {
    "right to left": "Photo\u202eretnirP",
    "isolate": "Photo \u2066Printer",
    "zero width": "Pho\u200bto Printer",
    "joiner": "Photo\u200dPrinter",
    "byte order mark": "\ufeffPhoto",
    "soft hyphen": "Photo\u00adPrinter",
    "line": "Photo\nPrinter",
    "nul": "Photo\0Printer",
    "escape": "\x1b[31mPhoto",
    "line separator": "Photo\u2028Printer",
    "private use": "Photo \uf8ff",
    "tag": "Photo\U000e0041",
    "empty": "   ",
    "long": "n" * 65,
}


@pytest.mark.parametrize("name", DECEIVING.values(), ids=DECEIVING)
async def test_D6_names_that_deceive(house: House, snoop: Person, name: str) -> None:
    with pytest.raises(Problems):
        await house.make_app(name=name)
    if name.strip():
        form = accounts.ProfileForm(full_name=name, email="", bio="", website="")
        with pytest.raises(Problems):
            await accounts.edit_profile(house.server, snoop.account, form)


async def test_D6_what_looks_the_same_is_spelled_the_same(house: House) -> None:
    one, other = await house.make_app(name="Café"), await house.make_app(name="Cafe\u0301")
    assert one.client.name == other.client.name, "one spelling for what looks the same"


async def test_D8_a_secret_is_shown_once_and_kept_nowhere(
    house: House, app: App, database: str, browser: Browser
) -> None:
    """CVE-2020-10187. Not on a page, not in an answer; and the store holds nothing that could be one."""
    developer = await house.logged_in(house.people["developer"])
    token = await house.token(browser, app)
    secret = app.secret or ""
    seen = [
        (await developer.open("/developer/")).html,
        (await developer.open(f"/developer/apps/{app.id}/")).html,
        (await browser.open("/accounts/manage_access/")).html,
        (await browser.open(house.authorize_url(app, scope="likes"))).html,
        (await house.me(token)).text,
        repr(await house.store.client(app.id)),
        repr(await house.store.connected_apps(house.people["snoopdogg"].account.id)),
    ]
    for text in seen:
        assert secret not in text and secret[6:40] not in text and token not in text
    kept = await all_that_is_kept(house, database)
    assert not kept or app.id in kept, "this is where everything is"
    for value in (secret, token, browser.session or "", PASSWORD):
        assert value not in kept and value.encode().hex() not in kept


async def all_that_is_kept(house: House, database: str) -> str:
    """The whole database as text."""
    if database.startswith("sqlite"):
        file = Path(database.removeprefix("sqlite:///"))
        return "".join(f.read_bytes().decode("latin-1") for f in file.parent.glob(file.name + "*"))
    if database.startswith("memory"):
        return ""
    connection = await asyncpg.connect(database)
    names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [await connection.fetch(f"SELECT t::text FROM {name[0]} t") for name in names]
    await connection.close()
    return "\n".join(row[0] for table in rows for row in table)


async def test_D9_somebody_else_s_app(house: House, app: App, browser: Browser) -> None:
    """All of the console: tests/flows/test_console.py. Here: knowing the id gives nothing."""
    answer = await browser.ask("GET", f"/developer/apps/{app.id}/")
    unknown = await browser.ask("GET", f"/developer/apps/{'f' * 32}/")
    assert answer.status_code == unknown.status_code == 404
    assert app.client.name not in answer.text


@pytest.mark.parametrize("which", ["account", "client"])
async def test_D10_who_is_shut_out_gets_nothing_more(
    house: House, app: App, snoop: Person, browser: Browser, which: str
) -> None:
    """CVE-2024-46999, -47000, -47060: at every door, and at once."""
    implicit = await house.make_app(name="Implicit", allow_implicit=True)
    token, code = await house.token(browser, app), await house.code(browser, app)
    where = await house.allow(browser, implicit, response_type="token")
    if which == "account":
        await accounts.disable(house.server, snoop.account.id)
    else:
        for each in (app, implicit):
            off = replace(each.client, disabled_at=house.clock(), version=2)
            await house.store.apply((Save(off),))
    assert not await house.lives(token)
    assert not await house.lives(where.partition("=")[2])
    assert (await house.exchange(app, code)).status_code == 400
    page = await browser.open(house.authorize_url(app))
    assert page.left is None and not page.asks_consent
    if which == "account":
        assert page.asks_login
        page = await browser.login(page, snoop.username, snoop.password)
        assert (page.status == 400 and browser.session is None) or page.asks_login
        await accounts.enable(house.server, snoop.account.id)
        assert not await house.lives(token), "what had ended stays ended"
        assert (await house.exchange(app, code)).status_code == 400


async def test_D10_every_door_looks_at_the_account_itself(
    house: House, app: App, snoop: Person, browser: Browser
) -> None:
    """Also where whoever shut it out forgot to end its sessions and to take back what it had allowed."""
    token, code = await house.token(browser, app), await house.code(browser, app)
    off = replace(snoop.account, disabled_at=house.clock(), version=2)
    await house.store.apply((Save(off),))
    for who in ("self", str(house.people["developer"].account.id)):
        answer = await house.http().get(f"/v1/users/{who}", params={"access_token": token})
        assert answer.json()["meta"]["error_type"] == "OAuthAccessTokenException"
    assert (await house.exchange(app, code)).status_code == 400
    page = await browser.open(house.authorize_url(app))
    assert page.asks_login and page.left is None
    assert (await browser.open("/accounts/edit/")).asks_login
    page = await browser.login(page, snoop.username, snoop.password)
    assert page.status == 400


async def test_D10_a_question_that_was_open_is_not_answered_any_more(
    house: House, app: App, snoop: Person, browser: Browser
) -> None:
    page = await browser.open(house.authorize_url(app))
    await accounts.disable(house.server, snoop.account.id)
    page = await browser.consent(page, "allow")
    assert page.left is None
    other = await house.logged_in(dre := await house.make_account("dre", "Dr. Dre"))
    page = await other.open(house.authorize_url(app))
    off = replace(app.client, disabled_at=house.clock(), version=2)
    await house.store.apply((Save(off),))
    page = await other.consent(page, "allow")
    assert page.left is None and page.status == 400
    assert await house.store.connected_apps(dre.account.id) == []
