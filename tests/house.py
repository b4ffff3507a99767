"""A whole server in this process, a clock to turn, and people, apps and browsers to try it with.

house = await build()                                   the fixture `house` is one with the settings as they come
snoop = await house.make_account("snoopdogg")           a person
app = await house.make_app()                            an app of somebody else's
browser = await house.logged_in(snoop)
page = await browser.open(house.authorize_url(app))     follows redirects within the site
page = await browser.consent(page, "allow")
page.left                                               where the browser was sent, once that is another site
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg
import httpx2
import msgspec
import pytest
from argon2 import PasswordHasher
from starlette.types import ASGIApp, Message

from tests.flows.browser import Browser
from tests.throwaway_postgres import EMPTY, ThrowawayPostgres
from valetkey.protocol.changes import Save
from valetkey.protocol.model import Account, Client
from valetkey.server import accounts, clients
from valetkey.server.authorization_server import AuthorizationServer, assemble
from valetkey.server.master import Master
from valetkey.settings import Settings
from valetkey.store import Store, open_store
from valetkey.web.app import create_app

SITE = "https://id.example"
CALLBACK = "https://app.example/callback"
PASSWORD = "gin and juice, laid back"
HOST = (b"host", b"id.example")
MASTER = Master((os.urandom(32),), "the house")
Headers = Sequence[tuple[bytes, bytes]]


class VirtualClock:
    """Time stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: int) -> None:
        self.now += seconds


@dataclass(frozen=True)
class Person:
    """An account, and the password that only its owner knows."""

    account: Account
    password: str

    @property
    def username(self) -> str:
        return self.account.username


@dataclass(frozen=True)
class App:
    """A registered app as its developer holds it."""

    client: Client
    secret: str | None

    @property
    def id(self) -> str:
        return self.client.id

    @property
    def redirect_uri(self) -> str:
        return self.client.redirect_uris[0]


@dataclass(frozen=True)
class Answer:
    """What came back, byte for byte."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The header, which must not be there twice."""
        found = [value.decode("latin-1") for key, value in self.headers if key.decode().lower() == name]
        assert len(found) <= 1, (name, found)
        return found[0] if found else None

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass
class House:
    """One server over one database. `another_worker` is a second process on the same database."""

    server: AuthorizationServer
    app: ASGIApp
    clock: VirtualClock
    worker: Callable[[], Any]
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return self.server.store

    async def another_worker(self) -> "House":
        other: House = await self.worker()
        return other

    # --- who is there -------------------------------------------------------------------------------------------------

    async def make_account(self, username: str = "snoopdogg", full_name: str = "Snoop Dogg") -> Person:
        """An account with a password, as the command line makes them."""
        form = accounts.SignUp(username, full_name, f"{username}@mail.example", PASSWORD)
        person = Person(await accounts.sign_up(self.server, form, by_operator=True), PASSWORD)
        self.people[username] = person
        return person

    async def make_app(self, *redirect_uris: str, owner: Person | None = None, **said: Any) -> App:
        """An app of a developer's; said: any field of ClientForm."""
        if owner is None:
            owner = self.people.get("developer") or await self.make_account("developer", "Dee Veloper")
        facts = {"name": "Photo Printer", "type": "web", "profile": "classic"} | said
        form = clients.ClientForm(redirect_uris=redirect_uris or (CALLBACK,), **facts)
        made = await clients.register(self.server, owner.account, form)
        return App(made.client, made.secret)

    async def registered(self, app: App, **said: Any) -> App:
        """The app with further things registered; said: any field of Registration."""
        client = msgspec.structs.replace(
            app.client,
            registered=msgspec.structs.replace(app.client.registered, **said),
            version=app.client.version + 1,
        )
        await self.store.apply((Save(client),))
        return App(client, app.secret)

    # --- what they use ------------------------------------------------------------------------------------------------

    def browser(self, address: str = "192.0.2.7") -> Browser:
        """A browser that has never been here, at a network address of its own."""
        return Browser(SITE, self.http(address))

    async def logged_in(self, person: Person, address: str = "192.0.2.7") -> Browser:
        """A browser in which this person has logged in."""
        browser = self.browser(address)
        page = await browser.open("/accounts/login/")
        page = await browser.login(page, person.username, person.password)
        assert "valetkey" in browser.cookie_names, page.text
        return browser

    def http(self, address: str = "192.0.2.80") -> httpx2.AsyncClient:
        """The HTTP client of a program that talks to this server: no cookies, no redirects followed."""
        transport = httpx2.ASGITransport(self.app, client=(address, 50000))
        return httpx2.AsyncClient(transport=transport, base_url=SITE, trust_env=False)

    async def form(
        self, path: str, headers: Mapping[str, str] | None = None, /, **fields: str | None
    ) -> httpx2.Response:
        """A form posted by a program; fields that are None are left out."""
        said = {name: value for name, value in fields.items() if value is not None}
        return await self.http().post(path, data=said, headers=headers)

    async def raw(
        self,
        method: str,
        path: str,
        query: bytes = b"",
        headers: Headers = (),
        body: bytes | Sequence[bytes] = b"",
    ) -> Answer:
        """A request no HTTP library would send: any bytes as query, headers and body (or as chunks of a body)."""
        chunks = [body] if isinstance(body, bytes) else list(body)
        messages: list[Message] = [
            {"type": "http.request", "body": chunk, "more_body": turn < len(chunks)}
            for turn, chunk in enumerate(chunks, 1)
        ]
        messages.reverse()
        sent: list[Message] = []

        async def receive() -> Message:
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query,
            "headers": [*([] if any(name == b"host" for name, _ in headers) else [HOST]), *headers],
            "client": ("192.0.2.66", 50000),
            "server": ("id.example", 443),
        }
        await self.app(scope, receive, send)
        assert [message["type"] for message in sent[:1]] == ["http.response.start"], sent
        assert not sent[-1].get("more_body"), "the answer was not ended"
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], list(sent[0]["headers"]), body)

    # --- what they do -------------------------------------------------------------------------------------------------

    def authorize_url(self, app: App, **more: str | None) -> str:
        """The address an app sends people to. more: parameters to add, to replace, or (None) to leave out."""
        asked: dict[str, str | None] = {
            "client_id": app.id,
            "redirect_uri": app.redirect_uri,
            "response_type": "code",
        }
        said = {name: value for name, value in (asked | more).items() if value is not None}
        return f"{SITE}/oauth/authorize/?{urlencode(said)}"

    async def allow(self, browser: Browser, app: App, **more: str | None) -> str:
        """Ask, say yes if that is asked for, and return the address the browser is sent to."""
        page = await browser.open(self.authorize_url(app, **more))
        if page.left is None:
            page = await browser.consent(page, "allow")
        assert page.left is not None, page.text
        return page.left

    async def code(self, browser: Browser, app: App, **more: str | None) -> str:
        """A fresh code for the app, allowed in this browser."""
        return parameters(await self.allow(browser, app, **more))["code"]

    def exchange_fields(self, app: App, code: str, /, **more: str | None) -> dict[str, str]:
        """The fields of a token request. more: to add, to replace, or (None) to leave out."""
        asked: dict[str, str | None] = {
            "client_id": app.id,
            "client_secret": app.secret,
            "grant_type": "authorization_code",
            "redirect_uri": app.redirect_uri,
            "code": code,
        }
        return {name: value for name, value in (asked | more).items() if value is not None}

    async def exchange(self, app: App, code: str, /, **more: str | None) -> httpx2.Response:
        """The origin document's token request, urlencoded."""
        return await self.http().post("/oauth/access_token", data=self.exchange_fields(app, code, **more))

    async def token(self, browser: Browser, app: App, **more: str | None) -> str:
        """An access token of the app, allowed in this browser."""
        answer = await self.exchange(app, await self.code(browser, app, **more))
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    async def me(self, token: str, **more: str) -> httpx2.Response:
        """The first call every app makes."""
        return await self.http().get("/v1/users/self", params={"access_token": token} | more)

    async def keys(self) -> list[dict[str, str]]:
        """The keys that are published."""
        found: list[dict[str, str]] = (await self.raw("GET", "/oauth/jwks")).json()["keys"]
        return found

    async def lives(self, token: str) -> bool:
        """Whether the API takes the token."""
        header = {"authorization": f"Bearer {token}".encode()}
        answer = await self.http().get("/v1/users/self", headers=header)
        assert answer.status_code in (200, 400, 401, 403), answer.text
        return answer.status_code == 200


def parameters(url: str) -> dict[str, str]:
    """The query of an address, each name once."""
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs), url
    return dict(pairs)


def fragment(url: str) -> str:
    """What stands behind the #."""
    return url.partition("#")[2]


# --- fixtures: a conftest.py imports what its tests use ---------------------------------------------------------------


@pytest.fixture(scope="session")
def house_postgres(postgres: ThrowawayPostgres) -> str:
    """One PostgreSQL database for all stories, for making one takes longer than most stories do."""
    name = f"house_{secrets.token_hex(4)}"
    postgres.sql(f"CREATE DATABASE {name}")
    postgres.sql(f"ALTER DATABASE {name} SET synchronous_commit = off")  # no story cuts the power
    return postgres.url(name)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """The address of an empty database, of each kind in turn."""
    if request.param == "memory":
        return "memory://"
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('fresh_sqlite')}"
    url: str = request.getfixturevalue("house_postgres")
    return url


# For attacks that never come as far as a database.
ONE_STORE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def empty(url: str) -> None:
    """Nothing is left of the story before."""
    connection = await asyncpg.connect(url)
    await connection.execute(EMPTY)
    await connection.close()


Build = Callable[..., Any]


@pytest.fixture
def clock() -> VirtualClock:
    """The test's one time."""
    return VirtualClock()


@pytest.fixture
async def build(database: str, clock: VirtualClock) -> AsyncIterator[Build]:
    """Makes servers over the test's one database: `await build(api=ApiSettings(rate_limit=3))`."""
    if database.startswith("postgresql"):
        await empty(database)
    shared = open_store(database) if database.startswith("memory") else None

    async with contextlib.AsyncExitStack() as stack:

        async def make(skew: int = 0, **settings: Any) -> House:
            """skew: seconds that this host's clock is ahead of the test's."""
            said = Settings(database=database, **({"issuer": SITE} | settings))
            store = shared or open_store(database)
            server = assemble(said, store, lambda: clock() + skew, os.urandom, MASTER)
            server.passwords.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
            app = create_app(server)
            await stack.enter_async_context(running(app))
            return House(server, app, clock, lambda: make(skew, **settings))

        yield make


@pytest.fixture
async def house(build: Build) -> House:
    """A server with the settings as they come."""
    made: House = await build()
    return made


@pytest.fixture
async def snoop(house: House) -> Person:
    """Somebody with an account."""
    return await house.make_account()


@pytest.fixture
async def browser(house: House, snoop: Person) -> Browser:
    """The browser in which they have logged in."""
    return await house.logged_in(snoop)


@pytest.fixture
async def app(house: House) -> App:
    """An app of today, of somebody else's."""
    return await house.make_app(profile="oauth21")


@contextlib.asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[None]:
    """Start and stop an application as a server does (ASGI, lifespan protocol)."""
    said: asyncio.Queue[Message] = asyncio.Queue()
    heard: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    task = asyncio.create_task(app(scope, said.get, heard.put))
    await said.put({"type": "lifespan.startup"})
    started = await heard.get()
    assert started["type"] == "lifespan.startup.complete", started
    try:
        yield
    finally:
        await said.put({"type": "lifespan.shutdown"})
        await task


def multipart(fields: Mapping[str, str]) -> tuple[bytes, bytes]:
    """A multipart/form-data body as curl -F writes it, and its Content-Type."""
    boundary = "------------------------" + secrets.token_hex(8)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    body = "".join(parts) + f"--{boundary}--\r\n"
    return body.encode(), f"multipart/form-data; boundary={boundary}".encode()
