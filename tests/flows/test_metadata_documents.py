"""Apps that never registered: who they are is read where they say it is written (client-id metadata documents)."""

import asyncio

import httpx2
import pytest

from tests.flows.agents import ASKED, ELSEWHERE, HERE, HERE_TOO, publish
from tests.flows.browser import Browser
from tests.flows.today import PKCE, VERIFIER
from tests.house import ONE_STORE, SITE, App, Build, House, parameters
from tests.publisher import Publisher, document
from tests.signing import Signer
from valetkey.protocol.model import NOBODY
from valetkey.protocol.rules.client_assertion import JWT_BEARER
from valetkey.server import housekeeping
from valetkey.settings import FetchSettings


@pytest.fixture
async def house(build: Build, site: Publisher) -> House:
    made: House = await build(mcp=True, registration=HERE_TOO, fetch=FetchSettings(("localhost",), site.ca))
    return made


async def redeem(house: House, app: App, where: str, **more: str) -> httpx2.Response:
    fields = {
        "grant_type": "authorization_code",
        "code": parameters(where)["code"],
        "code_verifier": VERIFIER,
    }
    return await house.form("/oauth/token", **(fields | ({"client_id": app.id} if not more else {}) | more))


async def test_the_metadata_says_that_it_is_possible(house: House, build: Build) -> None:
    found = await house.raw("GET", "/.well-known/oauth-authorization-server")
    assert found.json()["client_id_metadata_document_supported"] is True


async def test_the_whole_flow(house: House, site: Publisher, browser: Browser) -> None:
    app = publish(site, grant_types=["authorization_code", "refresh_token"])
    where = await house.allow(browser, app, scope="basic", state="x", **ASKED)
    assert where.startswith(HERE + "?") and parameters(where)["iss"] == SITE
    answer = await redeem(house, app, where)
    assert answer.status_code == 200 and await house.lives(answer.json()["access_token"])
    again = await house.form(
        "/oauth/token",
        grant_type="refresh_token",
        refresh_token=answer.json()["refresh_token"],
        client_id=app.id,
    )
    assert again.status_code == 200 and await house.lives(again.json()["access_token"])
    assert len(site.heads) == 1, "read once"
    client = await house.store.client(app.id)
    assert client is not None
    assert (client.owner_id, client.profile, client.type, client.secrets) == (NOBODY, "mcp", "native", ())


async def test_without_the_switch_an_address_is_an_unknown_client(build: Build, site: Publisher) -> None:
    house = await build(fetch=FetchSettings(("localhost",), site.ca))
    page = await house.browser().open(house.authorize_url(publish(site), **ASKED))
    assert page.status == 400 and "not known here" in page.text
    assert site.heads == []


async def test_when_the_switch_is_turned_off_nobody_new_is_let_in_on_what_was_read_before(
    house: House, build: Build, site: Publisher, browser: Browser
) -> None:
    """What people have allowed goes on until they, or `valetkey apps disable`, end it."""
    app = publish(site)
    answer = await redeem(house, app, await house.allow(browser, app, **ASKED))
    off = await build(fetch=FetchSettings(("localhost",), site.ca))
    page = await off.browser().open(off.authorize_url(app, **ASKED))
    assert page.status == 400 and "not known here" in page.text
    assert await off.lives(answer.json()["access_token"])


async def test_the_confirmation_screen_names_the_publisher_and_where_one_goes(
    house: House, site: Publisher, browser: Browser
) -> None:
    app = publish(site)
    page = await house.browser().open(house.authorize_url(app, **ASKED))
    assert page.asks_login and f"to go on to localhost:{site.port}" in page.text and "Agent" not in page.text
    page = await browser.open(house.authorize_url(app, **ASKED))
    assert f"published by localhost:{site.port}" in page.text and "Not reviewed" in page.text
    assert "only what it says of itself" in page.text
    assert "a program on this computer" in page.text
    page = await browser.open(house.authorize_url(app, redirect_uri=ELSEWHERE, **ASKED))
    assert "You go on to agent.example , which is not where the app is published" in page.text
    assert "a program on this computer" not in page.text
    await browser.consent(page, "allow")
    apps = await browser.open("/accounts/manage_access/")
    assert f"published by localhost:{site.port}" in apps.text
    apps = await browser.submit(apps, apps.form("manage_access/"), {"client_id": app.id})
    assert "Agent" not in apps.text


async def test_it_is_asked_every_time_where_the_app_is_a_program_on_this_computer(
    house: House, site: Publisher, browser: Browser
) -> None:
    """Also if it proves who it is: another program on the same computer may listen there (RFC 8252 8.6)."""
    key = Signer()
    app = publish(site, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [key.jwk]})
    for _ in range(2):
        page = await browser.open(house.authorize_url(app, **ASKED))
        assert page.asks_consent
        await browser.consent(page, "allow")
    where = await house.allow(browser, app, redirect_uri=ELSEWHERE, **ASKED)
    assert where.startswith(ELSEWHERE)


async def test_any_port_of_this_computer(house: House, site: Publisher, browser: Browser) -> None:
    """RFC 8252 7.3, RFC 9700 2.1: a document cannot know the port, and agents name this computer either way."""
    app = publish(site, redirect_uris=["http://localhost/callback", "http://127.0.0.1/callback"])
    for given in ("http://localhost:50123/callback", "http://127.0.0.1:50124/callback"):
        where = await house.allow(browser, app, redirect_uri=given, **ASKED)
        assert where.startswith(f"{given}?code=")


async def test_an_app_that_proves_who_it_is_with_a_key(
    house: House, site: Publisher, browser: Browser
) -> None:
    key = Signer()
    app = publish(site, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [key.jwk]})
    where = await house.allow(browser, app, **ASKED)
    bare = await redeem(house, app, where)
    assert (bare.status_code, bare.json()["error"]) == (401, "invalid_client")
    now = house.clock()
    claims = {"iss": app.id, "sub": app.id, "aud": SITE, "iat": now, "exp": now + 60, "jti": "1"}
    shown = {"client_assertion": key.jwt(claims), "client_assertion_type": JWT_BEARER}
    assert (await redeem(house, app, where, **shown)).status_code == 200


async def test_what_the_document_says_now_counts_at_the_next_request(
    house: House, site: Publisher, browser: Browser
) -> None:
    """Within what its server allows; what was granted lives on as it was."""
    grants = ["authorization_code", "refresh_token"]
    app = publish(site, "/agent.json", "Cache-Control: max-age=120", grant_types=grants)
    where = await house.allow(browser, app, **ASKED)
    tokens = (await redeem(house, app, where)).json()
    publish(site, client_name="Renamed", redirect_uris=[ELSEWHERE], grant_types=grants)
    house.clock.forward(119)
    assert (await browser.open(house.authorize_url(app, **ASKED))).asks_consent
    house.clock.forward(1)
    page = await browser.open(house.authorize_url(app, **ASKED))
    assert page.status == 400 and page.left is None, "this redirect_uri is gone"
    page = await browser.open(house.authorize_url(app, redirect_uri=ELSEWHERE, **ASKED))
    assert "Renamed" in page.text
    site.say("/agent.json", document(b"gone", status="404 Not Found"))
    house.clock.forward(3600)
    page = await browser.open(house.authorize_url(app, redirect_uri=ELSEWHERE, **ASKED))
    assert page.status == 400 and "could not find out" in page.text
    again = await house.form(
        "/oauth/token", grant_type="refresh_token", refresh_token=tokens["refresh_token"], client_id=app.id
    )
    assert again.status_code == 200


async def test_a_document_that_sends_people_elsewhere_starts_anew(
    house: House, site: Publisher, browser: Browser
) -> None:
    """H8: what was allowed to an app with a key of its own is remembered, for as long as it comes back where it did."""
    said = {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [Signer().jwk]}}
    app = publish(site, redirect_uris=[ELSEWHERE], **said)
    await house.allow(browser, app, **ASKED)
    house.clock.forward(600)
    assert (await browser.open(house.authorize_url(app, **ASKED))).left
    publish(site, redirect_uris=[ELSEWHERE, "https://evil.example/"], **said)
    house.clock.forward(600)
    for uri in (ELSEWHERE, "https://evil.example/"):
        assert (await browser.open(house.authorize_url(app, redirect_uri=uri, **ASKED))).asks_consent
    house.clock.forward(600)
    await house.allow(browser, app, **ASKED)
    house.clock.forward(600)
    assert (await browser.open(house.authorize_url(app, **ASKED))).left, "read again, and said nothing new"


async def test_a_document_that_says_nothing_new_is_no_change_of_the_app(
    house: House, site: Publisher, browser: Browser
) -> None:
    """Every worker would read every app anew (decision 0008); but it must not lapse while it is in use."""
    app = publish(site)
    kept, url = [], house.authorize_url(app, **ASKED)
    for _ in range(5):
        assert (await browser.open(url)).asks_consent
        assert (await browser.open(url)).asks_consent
        kept.append(await house.store.client(app.id))
        house.clock.forward(1200)
    assert [each.version for each in kept if each is not None] == [1, 1, 1, 2, 2]
    assert len(site.heads) == 5, "read again as seldom as it says itself"
    publish(site, client_name="Another name")
    page = await browser.open(url)
    assert page.asks_consent and "Another name" in page.text


async def test_an_agent_says_which_server_it_wants_a_token_for(
    house: House, site: Publisher, browser: Browser
) -> None:
    """RFC 8707; and the token is for that one alone (C14)."""
    app, elsewhere = publish(site), "https://notes.example/mcp"
    page = await browser.open(house.authorize_url(app, **PKCE))
    assert page.status == 400 and "resource is missing" in page.text and site.heads == []
    where = await house.allow(browser, app, **(ASKED | {"resource": elsewhere}))
    answer = await redeem(house, app, where)
    assert answer.status_code == 200 and not await house.lives(answer.json()["access_token"])
    page = await browser.open(house.authorize_url(app, **PKCE))
    assert page.left is not None and parameters(page.left)["error"] == "invalid_target"


async def test_workers_share_what_was_read(house: House, site: Publisher, browser: Browser) -> None:
    other, app = await house.another_worker(), publish(site)
    urls = [house.authorize_url(app, **ASKED)] * 6
    pages = await asyncio.gather(
        *((house, other)[turn % 2].browser(f"192.0.2.{turn}").open(url) for turn, url in enumerate(urls))
    )
    assert all(page.asks_login for page in pages)
    assert len(site.heads) <= 2, "each worker at most once, whoever asks meanwhile"
    await other.browser().open(urls[0])
    assert len(site.heads) <= 2
    assert await house.store.self_made() == (0, 1)


async def test_an_app_that_nobody_allows_anything_is_forgotten(
    house: House, site: Publisher, browser: Browser
) -> None:
    idle, used = publish(site, "/idle.json"), publish(site, "/used.json")
    await house.browser().open(house.authorize_url(idle, **ASKED))
    await house.allow(browser, used, **ASKED)
    assert await house.store.self_made() == (0, 2)
    house.clock.forward(2 * 3600 - 1 + housekeeping.SKEW)
    await housekeeping.clean(house.server, "test")
    assert await house.store.self_made() == (0, 2), "a confirmation screen may still be open"
    house.clock.forward(1)
    for _ in range(2):
        await housekeeping.clean(house.server, "test")
    assert await house.store.client(idle.id) is None and await house.store.client(used.id) is not None
    assert (await house.browser().open(house.authorize_url(idle, **ASKED))).asks_login


@ONE_STORE
async def test_programs_are_told_in_json(house: House, site: Publisher) -> None:
    app = publish(site, client_id="https://other.example/agent.json")
    answer = await house.http().get(house.authorize_url(app, **ASKED))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert "another client_id" in answer.json()["error_description"]
