"""Puts the demo on: a database in a folder that goes away, the server here, the shop on a thread beside it."""

import asyncio
import http.client
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import click
import uvicorn
from msgspec import Struct

from valetkey.cli import serving
from valetkey.cli.demo.photo_printer import Registration, photo_printer
from valetkey.cli.serve import bound
from valetkey.cli.terminal import Refused, opened
from valetkey.server import accounts, clients
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.settings import LogSettings, ServerSettings, Settings
from valetkey.web import logs

HOST = "127.0.0.1"
PATIENCE = 20.0  # seconds until both must have answered


class Person(Struct, frozen=True):
    """Somebody who can log in to the demo."""

    username: str
    password: str
    full_name: str
    bio: str


DEMO = Person("demo", "apricots in the afternoon", "Dana Larsen", "Takes too many pictures of the sea.")
DEVELOPER = Person("developer", "tinkering after midnight", "Robin Okafor", "Builds little shops.")


def play(port: int, shop_port: int) -> None:
    """Serve both until Ctrl-C. Raises Refused."""
    listening, shop_listening = free(port), free(shop_port)
    issuer, home = address(listening), address(shop_listening)
    with tempfile.TemporaryDirectory(prefix="valetkey-demo-") as folder:
        settings = Settings(
            database=f"sqlite:///{Path(folder) / 'demo.db'}",
            issuer=issuer,
            server=ServerSettings(host=HOST, port=listening.getsockname()[1]),
            log=LogSettings(level="warning"),
        )
        logs.configure(settings.log, keep=True)
        registration = asyncio.run(opened(settings, lambda server: furnish(server, issuer, home)))
        shop = uvicorn.Server(shop_config(registration))
        threading.Thread(target=shop.run, args=([shop_listening],), name="shop", daemon=True).start()
        lines = told(registration)
        threading.Thread(target=announce, args=(issuer, home, lines), name="announcer", daemon=True).start()
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
        serving.serve(settings, listening, serving.Manner())
        shop.should_exit = True


async def furnish(server: AuthorizationServer, issuer: str, home: str) -> Registration:
    """Two accounts and the shop's registration, for both flows."""
    people = [
        await accounts.sign_up(
            server,
            accounts.SignUp(one.username, one.full_name, f"{one.username}@example.org", one.password),
            by_operator=True,
        )
        for one in (DEMO, DEVELOPER)
    ]
    for account, one in zip(people, (DEMO, DEVELOPER), strict=True):
        profile = accounts.ProfileForm(account.full_name, account.email, one.bio, "https://example.org/")
        await accounts.edit_profile(server, account, profile)
    form = clients.ClientForm(
        name="Marmalade Prints",
        type="web",
        profile="classic",
        redirect_uris=(f"{home}/callback", f"{home}/browser-callback"),
        description="Prints your photos on good paper.",
        website=f"{home}/",
        allow_implicit=True,
    )
    new = await clients.register(server, people[1], form)
    assert new.secret is not None, "an app of type web has a secret"
    return Registration(issuer, home, new.client.id, new.secret)


def shop_config(registration: Registration) -> uvicorn.Config:
    """The shop is an ordinary small app on an ordinary uvicorn."""
    return uvicorn.Config(
        photo_printer(registration), lifespan="off", ws="none", log_config=None, access_log=False
    )


def told(registration: Registration) -> list[str]:
    """The three lines."""
    return [
        f"Shop       {registration.home}/   start here; Ctrl-C ends it all",
        f"Log in as  {DEMO.username}   password: {DEMO.password}",
        f"Developer  {DEVELOPER.username}   password: {DEVELOPER.password}   {registration.issuer}/developer/",
    ]


def announce(issuer: str, home: str, lines: list[str]) -> None:
    """Print the lines once both answer."""
    until = time.monotonic() + PATIENCE
    while not (answers(f"{issuer}/healthz") and answers(f"{home}/")):
        if time.monotonic() > until:
            click.echo("demo: the servers do not answer", err=True)
            return
        time.sleep(0.01)
    click.echo("\n".join(lines))
    sys.stdout.flush()


def answers(url: str) -> bool:
    """Whether this page is there."""
    _, _, rest = url.partition("://")
    where, _, path = rest.partition("/")
    connection = http.client.HTTPConnection(where, timeout=2)
    try:
        connection.request("GET", f"/{path}")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free(port: int) -> socket.socket:
    """A socket on this port, or on another one if it is taken. Raises Refused."""
    try:
        return bound(HOST, port)
    except Refused as refused:
        found = bound(HOST, 0)
        click.echo(f"demo: {refused.message}; taking {found.getsockname()[1]} instead", err=True)
        return found


def address(listening: socket.socket) -> str:
    """The base URL of what listens there."""
    host, port = listening.getsockname()
    return f"http://{host}:{port}"
