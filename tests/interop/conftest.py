"""What an interop test may ask for: a running server, an account, an app, and other people's clients to drive."""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.interop import environments
from tests.interop.browser import Browser
from tests.interop.conversation import converse
from tests.interop.metadata_host import MetadataHost
from tests.interop.origin_host import HOST, OriginHost
from tests.interop.valetkey_server import Account, App, Resource, ValetkeyServer
from tests.program import free_port

DRIVERS = Path(__file__).resolve().parent / "drivers"

AddApp = Callable[..., App]
Drive = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Stage:
    """The server under test, somebody with an account, and the resource servers that take its tokens."""

    server: ValetkeyServer
    account: Account
    resources: dict[str, Resource]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory, metadata_host: MetadataHost) -> Iterator[Stage]:
    server = ValetkeyServer(
        tmp_path_factory.mktemp("valetkey"),
        VALETKEY_MCP="on",
        VALETKEY_FETCH_ALLOW="localhost",  # what apps publish may be fetched from one host of this machine
        VALETKEY_REGISTRATION_ALLOW_HOSTS="localhost",
        VALETKEY_FETCH_CA=str(metadata_host.authority),
    )
    account = server.add_account(f"interop{secrets.token_hex(3)}", "Zoë Ångström")
    resources = {
        "mcp": server.add_resource(account, f"http://127.0.0.1:{free_port()}/mcp"),
        "asking": server.add_resource(account, "https://asking.example.org"),
        "reading": server.add_resource(account, "https://reading.example.org", token_format="jwt"),
        "listening": server.add_resource(account, "https://listening.example.org", token_format="jwt"),
    }
    server.start()
    yield Stage(server, account, resources)
    server.stop()


@pytest.fixture(scope="session")
def server(stage: Stage) -> ValetkeyServer:
    return stage.server


@pytest.fixture(scope="session")
def account(stage: Stage) -> Account:
    return stage.account


@pytest.fixture(scope="session")
def metadata_host(python_clients: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetadataHost]:
    standing = MetadataHost(*certified("localhost", python_clients, tmp_path_factory.mktemp("metadata")))
    yield standing
    standing.stop()


@pytest.fixture
def add_app(server: ValetkeyServer, account: Account) -> AddApp:
    """Registers an app; nobody listens at the default redirect URI, since the browser stops before it."""

    def add(redirect_uri: str = "http://127.0.0.1:9/callback", **options: Any) -> App:
        return server.add_app(account, redirect_uri, **options)

    return add


@pytest.fixture
def browser(account: Account) -> Browser:
    """A person who has an account and is not logged in yet."""
    return Browser(account.username, account.password)


@pytest.fixture(scope="session")
def python_clients() -> Path:
    return environments.python_clients()


@pytest.fixture(scope="session")
def npm_clients() -> Path:
    return environments.npm_clients()


@pytest.fixture(scope="session")
def origin_host(
    server: ValetkeyServer, python_clients: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OriginHost]:
    """For clients that have the origin's address written into their code."""
    certificate, authority = certified(HOST, python_clients, tmp_path_factory.mktemp("origin"))
    standing = OriginHost(certificate, authority, server.port)
    yield standing
    standing.stop()


def certified(host: str, python: Path, place: Path) -> tuple[Path, Path]:
    """A certificate for a host, made for this run, and the authority that signed it."""
    files = place / "certificate.pem", place / "authority.pem"
    subprocess.run([python, DRIVERS / "origin_certificate.py", *files, host], check=True, timeout=60)
    return files


@pytest.fixture
def drive(server: ValetkeyServer, browser: Browser, python_clients: Path) -> Drive:
    """Runs drivers/NAME.py for an app and says what the client knows in the end."""

    def run(name: str, app: App, decision: str = "allow", **options: Any) -> dict[str, Any]:
        command = [str(python_clients), str(DRIVERS / f"{name}.py")]
        return converse(command, _config(server, app), _visit(browser, app, decision), **options)

    return run


@pytest.fixture
def drive_node(server: ValetkeyServer, browser: Browser, npm_clients: Path) -> Drive:
    """Runs drivers/NAME.cjs for an app and says what the client knows in the end."""

    def run(name: str, app: App, decision: str = "allow", **options: Any) -> dict[str, Any]:
        command = [environments.node(), str(DRIVERS / f"{name}.cjs")]
        config = _config(server, app) | {"clients": str(npm_clients)}
        return converse(command, config, _visit(browser, app, decision), **options)

    return run


@pytest.fixture
def drive_today(server: ValetkeyServer, browser: Browser) -> Drive:
    """Runs the driver NAME, in whichever language it is, and says what the client knows and where the person landed."""

    def run(name: str, app: App, scope: str = "basic", **more: str | None) -> dict[str, Any]:
        places: list[str] = []

        def visit(url: str) -> str:
            places.append(browser.follow(url, app.redirect_uri or None))
            return places[-1]

        (driver,) = DRIVERS.glob(f"{name}.*")
        config = (
            _config(server, app) | {"scope": scope, "clients": str(environments.NPM / "node_modules")} | more
        )
        return converse(environments.command(driver), config, visit) | {"landed": places}

    return run


def _config(server: ValetkeyServer, app: App) -> dict[str, str | None]:
    return {
        "base": server.base,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": app.redirect_uri,
    }


def _visit(browser: Browser, app: App, decision: str) -> Callable[[str], str]:
    return lambda url: browser.follow(url, app.redirect_uri, decision)
