"""`valetkey serve` in processes that can be killed, with people and an app that use it over real sockets."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.interop.valetkey_server import free_port
from tests.torture.wire import Reply, ask
from valetkey import settings
from valetkey.protocol.changes import Save
from valetkey.protocol.model import Consent
from valetkey.server import accounts, clients, login
from valetkey.server.authorization_server import assemble
from valetkey.web.guard import csrf_for

REDIRECT = "https://printer.example/callback"
BROWSERS = 8


@dataclass
class Browser:
    """An account logged in somewhere, and what its app was acknowledged."""

    username: str
    cookie: str
    alive: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    unspent: list[str] = field(default_factory=list)
    spent: list[tuple[str, str]] = field(default_factory=list)
    busy: bool = False


class House:
    """A server process that can be killed, and the one app that everybody uses."""

    def __init__(self, database: str, log: Path, workers: int = 2) -> None:
        self.database, self.log, self.port, self.workers = database, log, free_port(), workers
        self.settings = settings.load(Path("/dev/null"), {}, {"database": database, "issuer": self.base})
        self.process: subprocess.Popen[bytes] | None = None
        self.signed_up: list[str] = []
        self.options: tuple[str, ...] = ()
        self.environment: dict[str, str] = {}

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def furnish(self) -> list[Browser]:
        server = assemble(self.settings)
        await server.open()
        browsers = []
        for i in range(BROWSERS):
            person = accounts.SignUp(f"person{i}", f"Person {i}", "", "correct horse")
            account = await accounts.sign_up(server, person, by_operator=True)
            if i == 0:
                form = clients.ClientForm("Printer", "web", "classic", (REDIRECT,))
                self.app = await clients.register(server, account, form)
            attempt = login.Attempt(account.username, "", "127.0.0.1")
            token = await login.open_session(server, account, attempt, None)
            consent = Consent(account.id, self.app.client.id, ("basic",), server.clock())
            await server.store.apply((Save(consent),))
            browsers.append(Browser(account.username, token))
        await server.close()
        return browsers

    def command(self) -> list[str]:
        program = str(Path(sys.executable).with_name("valetkey"))
        places = ["--port", str(self.port), "--workers", str(self.workers)]
        return [program, "serve", *places, *self.options]

    def launch(self) -> None:
        environment = os.environ | {
            "VALETKEY_ISSUER": self.base,
            "VALETKEY_DATABASE": self.database,
            "VALETKEY_API_RATE_LIMIT": "100000000",
            **self.environment,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    async def start(self) -> None:
        self.launch()
        async with asyncio.timeout(20):
            while not await self.healthy():
                assert self.process and self.process.poll() is None, self.log.read_text(errors="replace")
                await asyncio.sleep(0.02)

    async def healthy(self) -> bool:
        try:
            return (await self.ask("/healthz")).status == 200
        except OSError:
            return False

    def kill(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):  # it ended by itself, and a test will say so
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    async def ask(self, path: str, form: dict[str, str] | None = None, cookie: str = "") -> Reply:
        return await ask(self.port, path, form, cookie)

    # What browser and app do; each raises OSError when the server dies in between.

    async def authorize(self, browser: Browser) -> str:
        query = f"client_id={self.app.client.id}&redirect_uri={REDIRECT}&response_type=code"
        reply = await self.ask(f"/oauth/authorize?{query}", cookie=f"valetkey={browser.cookie}")
        assert reply.status == 302, reply
        return parse_qs(urlsplit(reply.headers["location"]).query)["code"][0]

    async def exchange(self, code: str) -> str | None:
        form = {
            "client_id": self.app.client.id,
            "client_secret": self.app.secret or "",
            "grant_type": "authorization_code",
            "redirect_uri": REDIRECT,
            "code": code,
        }
        reply = await self.ask("/oauth/access_token", form)
        assert reply.status in (200, 400), reply
        return reply.json().get("access_token")

    async def lives(self, token: str) -> bool:
        reply = await self.ask(f"/v1/users/self?access_token={token}")
        assert reply.status in (200, 400), reply
        return reply.status == 200

    async def revoke(self, browser: Browser) -> None:
        form = {"csrf": csrf_for(browser.cookie), "client_id": self.app.client.id}
        reply = await self.ask("/accounts/manage_access/", form, f"valetkey={browser.cookie}")
        assert reply.status == 303, reply

    async def sign_up(self, username: str) -> None:
        cookie = "v" * 43
        form = {
            "csrf": csrf_for(cookie),
            "username": username,
            "full_name": "Somebody New",
            "email": "new@example.org",
            "password": "correct horse battery staple",
        }
        reply = await self.ask("/accounts/signup/", form, f"valetkey_visitor={cookie}")
        assert reply.status == 303, reply
        self.signed_up.append(username)

    async def log_in(self, username: str, password: str) -> int:
        cookie = "v" * 43
        form = {"csrf": csrf_for(cookie), "username": username, "password": password}
        return (await self.ask("/accounts/login/", form, f"valetkey_visitor={cookie}")).status
