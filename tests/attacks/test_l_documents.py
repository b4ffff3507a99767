"""L, D7: what strangers publish. Nothing is fetched for garbage, nothing from within, and never much."""

import asyncio
import json
from threading import Event, Semaphore
from typing import Any

import pytest
from msgspec.structs import replace

from tests.flows.agents import ASKED, ELSEWHERE, HERE_TOO, described, publish
from tests.flows.browser import Browser, Page
from tests.house import ONE_STORE, SITE, App, Build, House
from tests.publisher import Publisher, document
from tests.signing import Signer
from valetkey.protocol.changes import Save
from valetkey.protocol.grants.jwt_bearer import JWT_BEARER
from valetkey.protocol.model import NOBODY, Client, Registration
from valetkey.protocol.trusted_issuer import TrustedIssuer
from valetkey.server.fetch import FetchFailed
from valetkey.server.pinned_request import PinnedRequest
from valetkey.server.resolver import Resolver
from valetkey.settings import FetchSettings, RegistrationSettings

KEY = Signer(kid="a")
pytestmark = ONE_STORE


@pytest.fixture
async def house(build: Build, site: Publisher) -> House:
    made: House = await build(mcp=True, registration=HERE_TOO, fetch=FetchSettings(("localhost",), site.ca))
    return made


def named(client_id: str) -> App:
    return App(Client(client_id, NOBODY, "", "native", "mcp", (ELSEWHERE,), 0), None)


async def refused(house: House, app: App, **more: str | None) -> Page:
    page = await house.browser().open(house.authorize_url(app, **(ASKED | more)))
    assert page.status == 400 and page.left is None and not page.asks_login, page.text
    return page


@pytest.mark.parametrize(
    "client_id",
    [
        "https://127.0.0.1/agent.json",
        "https://10.0.0.1/agent.json",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/agent.json",
        "https://[::ffff:127.0.0.1]/agent.json",
        "https://[64:ff9b::7f00:1]/agent.json",
        "https://2130706433/agent.json",
        "https://0x7f.1/agent.json",
        "https://127.1/agent.json",
        "https://localhost./agent.json",
        "https://localhost:22/agent.json",
    ],
)
async def test_L1_L3_nothing_is_fetched_from_within(build: Build, site: Publisher, client_id: str) -> None:
    """`localhost` is let in by nobody here: no setting names it."""
    house = await build(mcp=True)
    await refused(house, named(client_id))
    assert site.heads == []


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "?a=b",
        "/agent.json#x",
        "/a/../agent.json",
        "/./agent.json",
        "/%2e%2e/agent.json",
        "/a b",
        "/\\agent.json",
        "/agent.json\n",
        "/" + "a" * 500,
    ],
)
async def test_addresses_that_parsers_may_read_in_two_ways(house: House, site: Publisher, path: str) -> None:
    await refused(house, named(site.url(path)))
    assert site.heads == []


async def test_addresses_with_a_user_another_scheme_or_another_spelling(
    house: House, site: Publisher
) -> None:
    publish(site)
    good = site.url("/agent.json")
    for client_id in (
        good.replace("https://", "https://user@"),
        good.replace("https://", "https://localhost@"),
        good.replace("https://", "http://"),
        good.replace("https://", "HTTPS://"),
        good.replace("localhost", "LOCALHOST"),
        " " + good,
    ):
        await refused(house, named(client_id))
    assert site.heads == []


@pytest.mark.parametrize(
    "garbage",
    [
        {"response_type": None},
        {"response_type": "token"},
        {"redirect_uri": None},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://agent.example/"},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": "short"},
        {"scope": "fly"},
        {"resource": None},
        {"resource": "notes"},
    ],
)
async def test_L1_nothing_is_fetched_for_a_request_that_comes_to_nothing(
    house: House, site: Publisher, garbage: dict[str, str | None]
) -> None:
    page = await refused(house, publish(site), **garbage)
    assert site.heads == [], page.text


@pytest.mark.parametrize(
    "said",
    [
        {"client_id": None},
        {"client_id": "https://localhost/agent.json"},
        {"redirect_uris": []},
        {"redirect_uris": ["https://agent.example/#"]},
        {"redirect_uris": ["http://agent.example/callback"]},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"client_secret": "x"},
        {"client_name": "Pho\u202eto"},
        {"client_name": "n" * 65},
        {"jwks": {"keys": [{"kty": "oct", "k": "x"}]}, "token_endpoint_auth_method": "private_key_jwt"},
        {"jwks_uri": "http://localhost/keys", "token_endpoint_auth_method": "private_key_jwt"},
        {"grant_types": ["client_credentials"]},
        {"response_types": ["token"]},
        {"software_statement": "a.b.c"},
    ],
)
async def test_documents_that_cannot_be(house: House, site: Publisher, said: dict[str, Any]) -> None:
    app = publish(site, **said)
    page = await refused(house, named(site.url("/agent.json")), redirect_uri=ELSEWHERE)
    assert "does not describe itself rightly" in page.text
    assert await house.store.client(app.id) is None and await house.store.self_made() == (0, 0)


async def test_L4_answers_that_are_no_document(house: House, site: Publisher) -> None:
    """Too large, of another kind, a redirect (L2), an error, no JSON, a name twice: no 5xx, and no word of why."""
    good = json.dumps(described(site)).encode()
    answers = {
        "large": document(good + b" " * 70_000),
        "html": document(good, "text/html"),
        "moved": b"HTTP/1.1 302 Found\r\nLocation: https://localhost/agent.json\r\nContent-Length: 0\r\n\r\n",
        "error": document(good, status="500 Internal Server Error"),
        "zipped": document(good, "application/json", "Content-Encoding: gzip"),
        "cut": document(good)[:-5],
        "nothing": b"",
        "no json": document(b"\xff\xfe"),
        "twice": document(good.replace(b"{", b'{"client_id":"x",', 1)),
    }
    for turn, answer in enumerate(answers.values()):
        site.say(f"/{turn}", answer)
        page = await refused(house, named(site.url(f"/{turn}")))
        words, _, reference = page.text.partition("Reference")
        assert reference
        assert not any(word in words for word in ("refused", "timeout", "500", "302", "private"))
    assert await house.store.self_made() == (0, 0)


async def ask(house: House, client_id: str, assertion: str) -> dict[str, Any]:
    """A client says who it is with a JWT, whatever else it asks for."""
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    said = {"client_assertion_type": kind, "client_assertion": assertion, "token": "x"}
    body: dict[str, Any] = (await house.form("/oauth/revoke", **said, client_id=client_id)).json()
    return body


def assertion(house: House, client_id: str) -> str:
    now = house.clock.now
    claims = {"iss": client_id, "sub": client_id, "aud": SITE, "iat": now, "exp": now + 60, "jti": "1"}
    return KEY.jwt(claims)


async def test_L1_an_exception_is_not_for_strangers(build: Build, site: Publisher) -> None:
    """`localhost` may have a private address: for the apps of the house, and not for who comes by it."""
    house = await build(mcp=True, fetch=FetchSettings(("localhost",), site.ca))
    await refused(house, publish(site))
    registers = {"client_name": "X", "redirect_uris": [ELSEWHERE], "jwks_uri": site.url("/jwks")}
    registers["token_endpoint_auth_method"] = "private_key_jwt"
    made = (await house.http().post("/oauth/register", json=registers)).json()
    site.say("/jwks", document(KEY.jwks.encode()))
    wrong = await ask(house, made["client_id"], assertion(house, made["client_id"]))
    assert wrong["error"] == "invalid_client" and site.heads == []

    ours = Registration(token_endpoint_auth_method="private_key_jwt", jwks_uri=site.url("/jwks"))
    app = await house.make_app(profile="oauth21", registered=ours)
    assert "error" not in await ask(house, app.id, assertion(house, app.id)) and len(site.heads) == 1
    wrong = await ask(house, made["client_id"], assertion(house, made["client_id"]))
    assert wrong["error"] == "invalid_client", "nor what was fetched for an app of the house"


async def test_L4_names_of_strangers_that_do_not_answer_keep_nobody_else_waiting(
    build: Build, site: Publisher
) -> None:
    house = await build(mcp=True, fetch=FetchSettings(("localhost",), site.ca))
    over, held = Event(), Semaphore(0)

    def hangs(*_: Any, **__: Any) -> list[Any]:
        held.release()
        over.wait(10)
        return []

    house.server.fetch_stranger.out = PinnedRequest(Resolver(hangs, most=4, patience=0.2))
    strangers = [named(f"https://agent{turn}.example/agent.json") for turn in range(30)]
    waiting = [asyncio.create_task(refused(house, app)) for app in strangers]
    try:
        for _ in range(4):
            await asyncio.to_thread(held.acquire, timeout=10)
        site.say("/jwks", document(KEY.jwks.encode()))
        ours = Registration(token_endpoint_auth_method="private_key_jwt", jwks_uri=site.url("/jwks"))
        app = await house.make_app(profile="oauth21", registered=ours)
        assert "error" not in await ask(house, app.id, assertion(house, app.id))
        pages = await asyncio.gather(*waiting)
        assert all("nothing could be read there" in page.text for page in pages), pages[0].text
        assert not held.acquire(blocking=False), "four threads and no more"
    finally:
        over.set()


async def test_L4_names_of_apps_that_do_not_answer_keep_no_trusted_issuer_waiting(
    build: Build, site: Publisher
) -> None:
    """Whoever can sign up can name eight of them, and assertions of the operator's issuers would prove nothing."""
    signer = Signer("ES256", "hr")
    issuer = TrustedIssuer("https://hr.example", jwks_uri=site.url("/hr"), clients=("*",), first_party=True)
    house = await build(trusted_issuers=(issuer,), fetch=FetchSettings(("localhost",), site.ca))
    house.server.fetch_app.out = never
    site.say("/hr", document(signer.jwks.encode()))
    ours = Registration(grant_types=(JWT_BEARER.name,))
    app = await house.make_app(profile="oauth21", type="service", registered=ours)
    await house.make_account()
    claims = {"iss": issuer.issuer, "sub": "snoopdogg", "aud": SITE, "exp": house.clock() + 60, "jti": "1"}
    fields = {"grant_type": JWT_BEARER.name, "assertion": signer.jwt(claims)}
    answer = await house.http().post(
        "/oauth/token", data=fields | {"client_id": app.id, "client_secret": app.secret}
    )
    assert answer.status_code == 200, answer.text


async def never(*_: Any) -> Any:
    raise FetchFailed("nobody is there")


async def test_L1_a_failure_is_remembered_for_a_moment(house: House, site: Publisher) -> None:
    app = named(site.url("/gone"))
    for _ in range(5):
        await refused(house, app)
    assert len(site.heads) == 1
    publish(site, "/gone")
    house.clock.forward(16)
    assert (await house.browser().open(house.authorize_url(app, **ASKED))).asks_login


async def test_L1_one_network_has_so_many_documents_fetched(build: Build, site: Publisher) -> None:
    limits = replace(HERE_TOO, documents_per_network=3, most_documents=5)
    house = await build(mcp=True, registration=limits, fetch=FetchSettings(("localhost",), site.ca))
    apps = [publish(site, f"/{turn}") for turn in range(9)]
    pages = [await house.browser().open(house.authorize_url(app, **ASKED)) for app in apps[:5]]
    assert [page.asks_login for page in pages] == [True] * 3 + [False] * 2
    assert "Too many new apps" in pages[3].text and pages[3].status == 400
    assert (await house.browser().open(house.authorize_url(apps[0], **ASKED))).asks_login, (
        "what is known is known"
    )
    others = [
        await house.browser(f"198.51.100.{turn}").open(house.authorize_url(app, **ASKED))
        for turn, app in enumerate(apps[5:])
    ]
    assert [page.asks_login for page in others] == [True, True, False, False], "five are kept at a time"
    assert len(site.heads) == 5


async def test_L1_what_is_known_is_read_again_however_many_come_from_there(
    build: Build, site: Publisher
) -> None:
    limits = replace(HERE_TOO, documents_per_network=2, most_documents=2)
    house = await build(mcp=True, registration=limits, fetch=FetchSettings(("localhost",), site.ca))
    apps = [publish(site, f"/{turn}") for turn in range(3)]
    for turn in range(1, 5):
        pages = [await house.browser().open(house.authorize_url(app, **ASKED)) for app in apps]
        assert [page.asks_login for page in pages] == [True, True, False], turn
        assert len(site.heads) == 2 * turn
        house.clock.forward(301)


async def test_hosts_that_the_operator_allows_and_denies(build: Build, site: Publisher) -> None:
    for allow, deny, fine in (
        (("localhost",), (), True),
        (("*.localhost",), (), False),
        (("agent.example",), (), False),
        (("localhost",), ("localhost",), False),
        ((), ("LOCALHOST",), False),
        (("localhost",), ("agent.example",), True),
    ):
        limits = RegistrationSettings(allow_hosts=allow, deny_hosts=deny)
        house = await build(mcp=True, registration=limits, fetch=FetchSettings(("localhost",), site.ca))
        page = await house.browser().open(house.authorize_url(publish(site), **ASKED))
        assert page.asks_login is fine, "also where the app was known before"
        assert fine or (page.status == 400 and "not let in here" in page.text)
    assert len(site.heads) == 1


async def test_D10_a_disabled_app_is_not_let_in_again_by_its_document(
    house: House, site: Publisher, browser: Browser
) -> None:
    app = publish(site)
    await house.allow(browser, app, **ASKED)
    client = await house.store.client(app.id)
    assert client is not None
    off = replace(client, version=client.version + 1, disabled_at=house.clock.now)
    await house.store.apply((Save(off),))
    house.clock.forward(24 * 3600)
    page = await refused(house, app)
    assert "not known here" in page.text and len(site.heads) == 1


async def test_what_a_document_says_is_text_on_our_pages(
    house: House, site: Publisher, browser: Browser
) -> None:
    """CVE-2018-1000088; the logo is neither fetched nor shown (K1, L1)."""
    app = publish(site, client_name="<b>Agent</b>", logo_uri=site.url("/logo.svg"))
    page = await browser.open(house.authorize_url(app, **ASKED))
    assert "&lt;b&gt;Agent" in page.html and "<b>Agent" not in page.html
    assert "logo.svg" not in page.html
    assert [head.split(" ")[1] for head in site.heads] == ["/agent.json"]


async def test_a_document_cannot_take_the_place_of_an_app_of_ours(house: House, site: Publisher) -> None:
    """Only ids that are addresses lead to documents, and no id that we make is one."""
    ours = await house.make_app(profile="oauth21")
    publish(site, client_id=ours.id)
    assert not ours.id.startswith("http")
    assert (await house.browser().open(house.authorize_url(ours, **ASKED))).asks_login
    assert site.heads == []
