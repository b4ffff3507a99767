"""A valetkey on a real socket in the tests' own event loop, and what a test puts into it by the server's own acts."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx2
import uvicorn
from starlette.types import ASGIApp

from tests.house import Person
from valetkey.server import accounts, clients, login
from valetkey.server.accounts import SignUp
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.clients import ClientForm


@dataclass(frozen=True)
class App:
    """An app as its developer knows it."""

    id: str
    secret: str
    name: str
    redirect_uri: str
    owner: Person

    def asks(self, **more: str) -> str:
        """The path and query that it sends people to."""
        asked = {"client_id": self.id, "redirect_uri": self.redirect_uri, "response_type": "code"}
        return f"/oauth/authorize/?{urlencode(asked | more)}"


@dataclass(frozen=True)
class Platform:
    """The server, and where it is reached."""

    server: AuthorizationServer
    base: str

    async def person(self, full_name: str = "Zoë Ångström") -> Person:
        """A new account; its username says nothing, so that no two tests meet."""
        name, password = f"p{secrets.token_hex(5)}", secrets.token_urlsafe(12)
        form = SignUp(name, full_name, f"{name}@example.org", password)
        return Person(await accounts.sign_up(self.server, form, by_operator=True), password)

    async def app(self, redirect_uri: str, owner: Person | None = None, **form: Any) -> App:
        """A new app; a web app in the classic profile unless told otherwise."""
        owner = owner or await self.person("Photo Prints Ltd")
        said = {"name": f"Printer {secrets.token_hex(2)}", "type": "web", "profile": "classic"} | form
        made = await clients.register(
            self.server, owner.account, ClientForm(redirect_uris=(redirect_uri,), **said)
        )
        return App(made.client.id, made.secret or "", made.client.name, redirect_uri, owner)

    async def session(self, person: Person, browser: str = "Mozilla/5.0 (X11; Linux) Firefox/140.0") -> str:
        """The id of a new session of this person, as a cookie carries it."""
        attempt = login.Attempt(person.username, "", "192.0.2.7", browser)
        account = await self.server.store.account(person.account.id)
        assert account is not None
        return await login.open_session(self.server, account, attempt, None)

    async def exchange(self, app: App, code: str, **more: str) -> httpx2.Response:
        """What the app's own server does with a code (classic.md D9)."""
        fields = {
            "client_id": app.id,
            "client_secret": app.secret,
            "grant_type": "authorization_code",
            "redirect_uri": app.redirect_uri,
            "code": code,
        }
        async with httpx2.AsyncClient(trust_env=False) as http:
            return await http.post(f"{self.base}/oauth/access_token", data=fields | more)

    async def whose(self, token: str) -> httpx2.Response:
        """What the API says to this token."""
        async with httpx2.AsyncClient(trust_env=False) as http:
            return await http.get(f"{self.base}/v1/users/self", params={"access_token": token})


class QuietServer(uvicorn.Server):
    """uvicorn that leaves the signals to pytest and says when it listens."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


def free_socket() -> tuple[socket.socket, int]:
    """A socket on a free port of this machine, and the port."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    return made, made.getsockname()[1]


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """Answer on this socket while the block runs."""
    server = QuietServer(app)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    ready = asyncio.create_task(server.listening.wait())
    await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
    assert ready.done(), "the server ended before it listened"
    try:
        yield
    finally:
        server.should_exit = True
        await running
