"""What a browser test may ask for: one Chromium, one server, somebody else's app, and people at their pages."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from argon2 import PasswordHasher
from playwright.async_api import Browser, BrowserContext, async_playwright

from tests.browser.platform import Person, Platform, free_socket, serving
from tests.browser.printer import Printer
from tests.browser.visitor import Manner, Visitor, Watch
from valetkey.protocol.detail_type import DetailType
from valetkey.server.authorization_server import assemble
from valetkey.settings import LoginSettings, Settings
from valetkey.web.app import create_app

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAYMENT = DetailType("payment", "Pay {amount} to {creditor}", ("amount", "creditor", "note"))
PATIENCE = 10_000  # milliseconds until something that does not come has failed

NewVisitor = Callable[..., Awaitable[Visitor]]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all tests; each test gets windows and cookies of its own.

    The headless shell is the same Chromium without the window around the page, and takes a third of the time.
    """
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    assert program, "chromium is missing here; ./dev test installs it"
    flags = FLAGS + ["--no-sandbox"] * (os.geteuid() == 0)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """The server. All tests come from one network, so that alone may log in as often as it likes."""
    listener, port = free_socket()
    base = f"http://127.0.0.1:{port}"
    database = f"sqlite:///{tmp_path_factory.mktemp('valetkey') / 'browser.db'}"
    settings = Settings(
        database=database,
        issuer=base,
        name="Aperture",
        login=LoginSettings(attempts_per_network=100_000),
        authorization_details=(PAYMENT,),
    )
    server = assemble(settings)
    server.passwords.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    async with serving(create_app(server), listener):
        yield Platform(server, base)


@pytest.fixture(scope="session")
async def printing() -> AsyncIterator[Printer]:
    """Somebody else's app; localhost is another site than 127.0.0.1."""
    listener, port = free_socket()
    printer = Printer(f"http://localhost:{port}")
    async with serving(printer.asgi(), listener):
        yield printer


@pytest.fixture
def printer(printing: Printer) -> Printer:
    """The same, not asked anything yet."""
    printing.to = ""
    printing.asked.clear()
    printing.waits, printing.goes_on = asyncio.Event(), asyncio.Event()
    return printing


@pytest.fixture
def manner(request: pytest.FixtureRequest) -> Manner:
    """How the visitors of this test browse; a test may be parametrized with others."""
    return getattr(request, "param", Manner())


@contextlib.asynccontextmanager
async def window(chromium: Browser, base: str, manner: Manner) -> AsyncIterator[BrowserContext]:
    """A browser that nobody has used; at the end it must have nothing to complain about."""
    watch = Watch(base)
    made = await chromium.new_context(
        viewport={"width": manner.width, "height": 720},
        java_script_enabled=manner.scripts,
        reduced_motion="reduce",
        locale="en-GB",
    )
    made.set_default_timeout(PATIENCE)
    watch.over(made)
    yield made
    await made.close()
    assert watch.complaints == []


@pytest.fixture
async def context(chromium: Browser, platform: Platform, manner: Manner) -> AsyncIterator[BrowserContext]:
    """The browser of this test."""
    async with window(chromium, platform.base, manner) as made:
        yield made


@pytest.fixture
async def visitor(context: BrowserContext, platform: Platform, manner: Manner) -> Visitor:
    """Somebody who is not logged in."""
    return Visitor(await context.new_page(), platform.base, manner.scripts)


@pytest.fixture
async def person(platform: Platform) -> Person:
    """Somebody who has an account."""
    return await platform.person()


@pytest.fixture
async def member(visitor: Visitor, platform: Platform, person: Person) -> Visitor:
    """The visitor, logged in as the person."""
    token = await platform.session(person)
    await visitor.page.context.add_cookies([{"name": "valetkey", "value": token, "url": platform.base}])
    return visitor
