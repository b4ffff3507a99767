"""hello.js with its own Instagram module, in a real Chromium: a page without a server part, the implicit flow.

The page stands on another site (localhost) than the server (127.0.0.1), and the login opens in a popup, as the library
has it. The popup talks to the page that opened it, so a page of ours that cuts `window.opener` ends the login.
"""

import json
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from tests.interop.conftest import DRIVERS, AddApp
from tests.interop.valetkey_server import Account, App, ValetkeyServer

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
FLAGS += ["--disable-component-update", "--disable-sync"]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what the page made of it is what the tests look at."""


class Site:
    """The app's page, its landing page and the library, as files on loopback."""

    def __init__(self, place: Path, npm_clients: Path) -> None:
        self._place = place
        shutil.copy(DRIVERS / "hellojs.html", place / "index.html")
        shutil.copy(DRIVERS / "hellojs_landing.html", place / "landing.html")
        shutil.copy(npm_clients / "hellojs" / "dist" / "hello.all.js", place)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(place)))
        self._http.daemon_threads = True
        self.url = f"http://localhost:{self._http.server_port}/"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def configure(self, server: ValetkeyServer, app: App) -> None:
        config = {"base": server.base, "client_id": app.client_id}
        (self._place / "config.js").write_text(f"window.CONFIG = {json.dumps(config)};")

    def stop(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@pytest.fixture
def site(tmp_path: Path, npm_clients: Path) -> Iterator[Site]:
    standing = Site(tmp_path, npm_clients)
    yield standing
    standing.stop()


@pytest.fixture
def app(site: Site, server: ValetkeyServer, add_app: AddApp) -> App:
    app = add_app(f"{site.url}landing.html", kind="spa", implicit=True)
    site.configure(server, app)
    return app


async def test_the_whole_flow(site: Site, account: Account, app: App) -> None:
    async with chromium_page(site.url) as page:
        outcome = await log_in(page, account, "allow")

    assert outcome.keys() == {"login", "me"}, outcome
    login, me = outcome["login"], outcome["me"]
    assert login["network"] == "instagram"
    assert login["client_id"] == app.client_id, "out of its state, which is JSON and came back byte for byte"
    assert login["access_token"].startswith(app.client_id[:7] + ".")
    assert (me["id"], me["name"]) == (account.id, account.full_name)
    assert me["data"]["username"] == account.username


@pytest.mark.usefixtures("app")
async def test_a_denial_reaches_the_page(site: Site, account: Account) -> None:
    async with chromium_page(site.url) as page:
        outcome = await log_in(page, account, "deny")
    assert outcome.keys() == {"refusal"}, outcome
    error = outcome["refusal"]["error"]
    assert error["code"] == "access_denied"
    assert error["message"] == "The+user+denied+your+request", "it leaves the + of the document as they are"


async def log_in(page: Page, account: Account, decision: str) -> dict[str, Any]:
    """Click through the popup; say what the page was told in the end."""
    async with page.expect_popup() as opening:
        await page.click("#login")
    popup = await opening.value
    await popup.fill("input[name=username]", account.username)
    await popup.fill("input[type=password]", account.password)
    await popup.press("input[type=password]", "Enter")
    async with popup.expect_event("close"):
        await popup.click(f"button[name=decision][value={decision}], input[name=decision][value={decision}]")
    outcome = page.locator("#outcome:not(:empty)")
    told: dict[str, Any] = json.loads(await outcome.inner_text())
    return told


@asynccontextmanager
async def chromium_page(url: str) -> AsyncIterator[Page]:
    program = shutil.which("chromium")
    assert program, "chromium is missing here; ./dev test installs it"
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        context = await chromium.new_context()
        context.set_default_timeout(15_000)
        page = await context.new_page()
        await page.goto(url)
        yield page
        await chromium.close()
