"""`valetkey serve` in processes that can be killed, with people and an app that use it over real sockets."""

import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.cli.serving import leaves
from tests.program import VALETKEY, free_port
from tests.torture.wire import Line, Reply, ask, request
from tests.waiting import becomes
from valetkey import settings
from valetkey.protocol.changes import Save
from valetkey.protocol.model import Consent
from valetkey.server import accounts, clients, login
from valetkey.server.authorization_server import assemble
from valetkey.web.guard import csrf_for

REDIRECT = "https://printer.example/callback"
BROWSERS = 8


class TurnedAway(Exception):
    """The server said 503: nothing was done."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.reply = reply


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

    def __init__(
        self, database: str, log: Path, workers: int = 2, environment: Mapping[str, str] | None = None
    ) -> None:
        self.database, self.log, self.port, self.workers = database, log, free_port(), workers
        self.environment = dict(environment or {})
        self.options: tuple[str, ...] = ()
        self.lines: list[Line] = []
        self.settings = settings.load(Path("/dev/null"), {}, {"database": database, "issuer": self.base})
        self.process: subprocess.Popen[bytes] | None = None
        self.signed_up: list[str] = []

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
        places = ["--port", str(self.port), "--workers", str(self.workers)]
        return [VALETKEY, "serve", *places, *self.options]

    def launch(self) -> None:
        environment = os.environ | {
            "VALETKEY_ISSUER": self.base,
            "VALETKEY_DATABASE": self.database,
            "VALETKEY_API_RATE_LIMIT": "100000000",
            "VALETKEY_ACCOUNTS_SIGNUPS_PER_NETWORK": "100000",
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

    async def start(self) -> float:
        """Start, and return the seconds until it was ready."""
        began = time.monotonic()
        self.launch()
        await becomes(self.up, "it answers")
        return time.monotonic() - began

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[list[Browser]]:
        """Furnished and started, and killed in the end."""
        browsers = await self.furnish()
        try:
            await self.start()
            yield browsers
        finally:
            self.kill()

    async def up(self) -> bool:
        assert self.process and self.process.poll() is None, self.said()
        return await self.healthy()

    def said(self) -> str:
        """What is in the server's log."""
        return self.log.read_text(errors="replace")

    async def healthy(self) -> bool:
        try:
            return (await self.ask("/healthz")).status == 200
        except (OSError, TurnedAway):
            return False

    async def connect(self, count: int) -> None:
        """Keep so many connections from now on, spread over all workers."""
        for number in range(count):
            line = await Line(self.port, f"127.0.1.{number % 250 + 1}").__aenter__()
            assert (await line.send(request("/healthz"))).status == 200
            self.lines.append(line)

    def spread(self) -> list[int]:
        """How many connections each worker has."""
        assert self.process
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        local = f":{self.port:04X}"
        ours = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(local) and row[3] == "01"}
        return [len(ours & descriptors(pid)) for pid in leaves(self.process.pid)]

    async def ask(self, path: str, form: dict[str, str] | None = None, cookie: str = "") -> Reply:
        """A request on the kept connection whose turn it is, or on one of its own. Raises TurnedAway, OSError."""
        if self.lines:
            self.lines.append(self.lines.pop(0))
            reply = await self.lines[-1].send(request(path, form, cookie))
        else:
            reply = await ask(self.port, path, form, cookie)
        if reply.status == 503:
            raise TurnedAway(reply)
        return reply

    def kill(self) -> None:
        while self.lines:
            self.lines.pop().close()
        if self.process is not None:
            with suppress(ProcessLookupError):  # it ended by itself, and a test will say so
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    # What browser and app do; each raises OSError when the server dies in between, TurnedAway at a 503.

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


def descriptors(pid: int) -> set[str]:
    """What a process has open; it goes on opening and closing while we look."""
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(os.readlink(file))
    return found
