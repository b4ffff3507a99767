"""Replicas of `valetkey serve` behind nginx, and people and apps that use them all the while, one after the other."""

import asyncio
import os
import random
import re
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.hosts import programs
from tests.program import Program
from tests.torture import wire
from tests.torture.house import REDIRECT, Browser, House
from tests.waiting import becomes
from valetkey.store.address import parse
from valetkey.store.postgres_way import connect
from valetkey.web.guard import csrf_for

# A code that gave two tokens; one authorization has one code.
DOUBLED = "SELECT count(*) FROM (SELECT 1 FROM tokens GROUP BY authorization_id HAVING count(*) > 1) x"


class Away(OSError):
    """A clean answer that says "not now": what became of the request is unknown."""


class Replica(House):
    """One host's server, known to people by the address of what stands in front."""

    def __init__(self, front: "Cluster", log: Path, drain: float, workers: int) -> None:
        super().__init__(front.database, log, workers)
        self.options = ("--drain", str(drain))
        self.environment = {"VALETKEY_ISSUER": front.base, "VALETKEY_SERVER_TRUSTED_PROXIES": "127.0.0.1"}

    async def leave(self) -> None:
        """Told to end, it drains and is gone; it must not be in need of force."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGTERM)
        assert await asyncio.to_thread(self.process.wait, 20) == 0, self.log.read_text(errors="replace")
        self.process = None


class Cluster(House):
    """As a House, but its port is nginx's, and a 503 that is clean is counted and raised as Away."""

    def __init__(self, database: str, place: Path, replicas: int = 3, drain: float = 1.3) -> None:
        super().__init__(database, place / "nginx.log")
        self.place = place
        self.replicas = [
            Replica(self, place / f"replica{i}.log", drain, workers=2 if i == 0 else 1)
            for i in range(replicas)
        ]
        self.nginx: Program | None = None
        self.answers: Counter[str] = Counter()
        self.slowest = 0.0

    async def start(self) -> None:
        await asyncio.gather(*(replica.start() for replica in self.replicas))
        self.nginx = programs.nginx(self.place, self.port, [replica.port for replica in self.replicas])

    def kill(self) -> None:
        for replica in self.replicas:
            replica.kill()
        if self.nginx is not None:
            self.nginx.stop()

    async def ask(self, path: str, form: dict[str, str] | None = None, cookie: str = "") -> wire.Reply:
        began = asyncio.get_running_loop().time()
        kind = "GET" if form is None else "POST"
        try:
            reply = await wire.ask(self.port, path, form, cookie)
        except OSError:
            self.answers[f"{kind} cut"] += 1
            raise
        self.slowest = max(self.slowest, asyncio.get_running_loop().time() - began)
        self.answers[f"{kind} {'away' if reply.status == 503 else 'done'}"] += 1
        if reply.status == 503:
            check_clean(path, reply)
            raise Away(reply.body)
        return reply

    async def authorize(self, browser: Browser) -> str:
        """A code; where the person took back what they had said, they say yes again."""
        query = f"client_id={self.app.client.id}&redirect_uri={REDIRECT}&response_type=code"
        cookie = f"valetkey={browser.cookie}"
        reply = await self.ask(f"/oauth/authorize?{query}", cookie=cookie)
        if reply.status == 200:
            [ticket] = re.findall(r'name="ticket" value="([^"]+)"', reply.body.decode())
            form = {"csrf": csrf_for(browser.cookie), "ticket": ticket, "decision": "allow"}
            reply = await self.ask("/oauth/authorize/consent", form, cookie)
        assert reply.status == 302, reply
        return parse_qs(urlsplit(reply.headers["location"]).query)["code"][0]


def check_clean(path: str, reply: wire.Reply) -> None:
    """The 503 of a program's request: when to come again, and JSON in the form of whoever was asked."""
    assert int(reply.headers["retry-after"]) > 0, reply
    assert reply.headers["content-type"] == "application/json", reply
    assert reply.headers["cache-control"] == "no-store", reply
    said = reply.json()
    code = said["meta"]["code"] if "meta" in said else said.get("code", 503)
    assert code == 503, (urlsplit(path).path, reply)
    assert said.get("error", "temporarily_unavailable") == "temporarily_unavailable", reply


@dataclass
class Load:
    """Each browser's owner does one thing after another, so that it is known in which order they were acknowledged."""

    cluster: Cluster
    browsers: list[Browser]
    chance: random.Random
    done: int = 0
    unanswered: int = 0
    ending: bool = False
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def begin(self) -> None:
        self.tasks = [asyncio.create_task(self.live(browser)) for browser in self.browsers]

    async def more(self, count: int) -> None:
        """Until so many more things were done."""
        wanted = self.done + count

        def done() -> bool:
            for task in self.tasks:
                if task.done():
                    task.result()
            return self.done >= wanted

        await becomes(done, f"{count} things more", 60)

    async def end(self) -> None:
        self.ending = True
        await asyncio.gather(*self.tasks)

    async def live(self, browser: Browser) -> None:
        while not self.ending:
            try:
                await self.one_thing(browser)
                self.done += 1
            except OSError:
                self.unanswered += 1
                await asyncio.sleep(0.02)

    async def one_thing(self, browser: Browser) -> None:
        luck = self.chance.random()
        if luck < 0.05:
            await self.take_back(browser)
        elif luck < 0.3 and browser.alive:
            assert await self.cluster.lives(self.chance.choice(browser.alive)), (
                "an acknowledged token is lost"
            )
        elif luck < 0.35 and browser.dead:
            assert not await self.cluster.lives(self.chance.choice(browser.dead)), "a dead token lives again"
        elif luck < 0.4 and browser.unspent:
            await self.redeem(browser, browser.unspent.pop(), 1)
        else:
            code = await self.cluster.authorize(browser)
            if luck < 0.5:
                browser.unspent.append(code)
            else:
                await self.redeem(browser, code, 3 if luck < 0.6 else 1)

    async def take_back(self, browser: Browser) -> None:
        """The person revokes. Without an answer nobody can know what lives."""
        alive, browser.alive = browser.alive, []
        spent, browser.spent = browser.spent, []
        browser.unspent = []
        await self.cluster.revoke(browser)
        browser.dead += alive + [token for _, token in spent]

    async def redeem(self, browser: Browser, code: str, times: int) -> None:
        """One code, shown so many times at once: one token at most, and after a replay none."""
        asked = (self.cluster.exchange(code) for _ in range(times))
        ends = await asyncio.gather(*asked, return_exceptions=True)
        tokens = [end for end in ends if isinstance(end, str)]
        lost = [end for end in ends if isinstance(end, BaseException)]
        for end in lost:
            if not isinstance(end, OSError):
                raise end
        assert len(tokens) <= 1, "a code was redeemed twice"
        assert tokens or lost or times > 1, "an acknowledged code is lost"
        if tokens and None in ends:
            browser.dead += tokens
        elif tokens and not lost:
            browser.spent.append((code, tokens[0])) if self.chance.random() < 0.2 else browser.alive.extend(
                tokens
            )
        if lost:
            raise lost[0]


async def check(cluster: Cluster, browsers: list[Browser]) -> None:
    """Everything that was acknowledged is still so."""
    for browser in browsers:
        for token in browser.alive[-40:]:
            assert await cluster.lives(token), "an acknowledged token is lost"
        for token in browser.dead[-40:]:
            assert not await cluster.lives(token), "a dead token lives again"
        for code, token in browser.spent[-20:]:
            assert await cluster.lives(token), "an acknowledged token is lost"
            assert await cluster.exchange(code) is None, "a spent code was taken again"
            assert not await cluster.lives(token), "a replay did not end the token"
            browser.dead.append(token)
        for code in browser.unspent[-20:]:
            found = await cluster.exchange(code)
            assert found is not None, "an acknowledged code is lost"
            browser.alive.append(found)
        browser.spent, browser.unspent = [], []
    connection = await connect(parse(cluster.database))
    try:
        assert await connection.fetchval(DOUBLED) == 0, "a code was redeemed twice"
    finally:
        await connection.close()
