"""A running site in this process: a store in memory, an owner, a developer and an app."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from tests.web.person import HOME, PASSWORD, Person
from valetkey.protocol.model import Account
from valetkey.server import accounts, clients
from valetkey.server.accounts import SignUp
from valetkey.server.authorization_server import AuthorizationServer, assemble
from valetkey.server.clients import ClientForm, NewClient
from valetkey.settings import Settings, load
from valetkey.web.app import create_app

CALLBACK = "https://prints.example/callback"


@dataclass(frozen=True)
class Site:
    """The server, who is on it, and how to come to it."""

    server: AuthorizationServer
    owner: Account
    developer: Account
    app: NewClient
    visitor: Callable[[], Person]

    def asks(self, **more: str) -> str:
        """The address the app sends people to."""
        query = {"client_id": self.app.client.id, "redirect_uri": CALLBACK, "response_type": "code"} | more
        return f"/oauth/authorize/?{urlencode(query)}"


def settings(**flags: object) -> Settings:
    return load(environment={}, flags={"database": "memory:", "issuer": HOME, "name": "Northlight"} | flags)


async def built(made: Settings) -> Site:
    server = assemble(made)
    await server.open()
    owner = await accounts.sign_up(server, SignUp("mara", "Mara Lindqvist", "mara@a.example", PASSWORD))
    developer = await accounts.sign_up(server, SignUp("dev", "Pine <Studio>", "dev@a.example", PASSWORD))
    app = await clients.register(
        server, developer, ClientForm("Prints & <b>Cards</b>", "web", "classic", (CALLBACK,))
    )
    application = create_app(server)
    return Site(server, owner, developer, app, lambda: Person(application))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = await built(settings())
    yield made
    await made.server.close()


@pytest.fixture
async def closed_site() -> AsyncIterator[Site]:
    """Nobody can sign up or register an app here."""
    made = await built(settings(**{"accounts.signup": False, "apps.register": False}))
    yield made
    await made.server.close()


@pytest.fixture
async def owner(site: Site) -> Person:
    """The owner, logged in."""
    person = site.visitor()
    await person.log_in("mara")
    return person


@pytest.fixture
async def developer(site: Site) -> Person:
    """The developer, logged in."""
    person = site.visitor()
    await person.log_in("dev")
    return person
