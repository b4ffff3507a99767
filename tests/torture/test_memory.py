"""Memory stays flat under a flood of values that were never seen before, wherever an attacker may put one.

One worker is sent the flood in two parts; its memory after the second is that after the first, but for a little. What
it may remember is bounded, and full after the first part. At full length that takes two million values: SQLite keeps
pages of its file in memory, up to `cache_size` a connection, and the file grows with the counters of those who may not
guess any further until the first of these lapse.
"""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.serving import leaves
from tests.torture import replay
from tests.torture.house import House
from tests.torture.wire import Line, request
from valetkey.web.guard import csrf_for

pytestmark = pytest.mark.torture
LINES = 6
AT_ONCE = 20  # requests on a line before the answers are awaited
STAYS = 20  # batches until a line goes and another comes
VISITOR = "v" * 43
LOGIN = {"csrf": csrf_for(VISITOR), "username": "nobody", "password": "wrong"}
ALONE = ("method", "line")  # these end their connection
LONG = 2_000_000, 1_000_000, 0.01
SHORT = 10_800, 9_000, 0.05
Kind = Callable[[str], bytes]


def bearer(value: str) -> bytes:
    return request("/v1/users/self", more=f"Authorization: Bearer {value}\r\n")


def exchange(**form: str) -> bytes:
    fields = {"client_id": "x", "client_secret": "y", "grant_type": "authorization_code", "code": "c"}
    return request("/oauth/access_token", fields | {"redirect_uri": "https://a.example/"} | form)


def authorize(**query: str) -> bytes:
    pairs = {"client_id": "x", "redirect_uri": "https://a.example/", "response_type": "code"} | query
    return request("/oauth/authorize?" + "&".join(f"{name}={value}" for name, value in pairs.items()))


def forwarded(value: str, data: bytes) -> bytes:
    """As a proxy hands it on, from an IPv6 address that the value makes."""
    groups = ":".join(value[turn : turn + 4] for turn in range(0, 32, 4))
    return data.replace(b"\r\n", f"\r\nX-Forwarded-For: {groups}\r\n".encode(), 1)


def kinds(house: House) -> dict[str, Kind]:
    """Where a value can be put."""
    app, secret = house.app.client.id, house.app.secret or ""
    return {
        "token": bearer,
        "token in the query": lambda v: request(f"/v1/users/self?access_token={v}"),
        "code": lambda v: exchange(client_id=app, client_secret=secret, code=v),
        "client id": lambda v: exchange(client_id=v),
        "client secret": lambda v: exchange(client_id=app, client_secret=v),
        "grant type": lambda v: exchange(grant_type=v),
        "field of the form": lambda v: exchange(**{v: v}),
        "redirect uri": lambda v: authorize(client_id=app, redirect_uri=f"https://{v}.example/"),
        "scope": lambda v: authorize(client_id=app, redirect_uri="https://printer.example/callback", scope=v),
        "state": lambda v: authorize(client_id=app, redirect_uri="https://printer.example/callback", state=v),
        "client of a link": lambda v: authorize(client_id=v),
        "username": lambda v: request("/accounts/login/", LOGIN | {"username": v}, f"valetkey_visitor={VISITOR}"),
        "password": lambda v: request("/accounts/login/", LOGIN | {"password": v}, f"valetkey_visitor={VISITOR}"),
        "form of a visitor": lambda v: request("/accounts/login/", LOGIN, f"valetkey_visitor={v}"),
        "session": lambda v: request("/accounts/edit/", cookie=f"valetkey={v}"),
        "visitor": lambda v: request("/accounts/login/", cookie=f"valetkey_visitor={v}"),
        "cookie": lambda v: request("/robots.txt", cookie=f"{v}={v}"),
        "path": lambda v: request(f"/{v}"),
        "user": lambda v: request(f"/v1/users/{v}"),
        "picture": lambda v: request(f"/pictures/{v}.jpg"),
        "static": lambda v: request(f"/static/{v}.css?v={v}"),
        "query": lambda v: request(f"/healthz?{v}={v}"),
        "header": lambda v: request("/healthz", more=f"X-{v}: {v}\r\n"),
        "address": lambda v: forwarded(v, exchange(client_id=app, client_secret=v)),
        "address of a login": lambda v: forwarded(v, request("/accounts/login/", LOGIN, f"valetkey_visitor={VISITOR}")),
        "method": lambda v: request("/healthz", method=v.upper()),
        "line": lambda v: v.encode() + b"\r\n\r\n",
        "agent": lambda v: request("/accounts/login/", more=f"User-Agent: {v}\r\nAccept: text/html\r\n"),
        "type": lambda v: exchange().replace(b"application/x-www-form-urlencoded", f"a/{v}".encode()),
        "basic": lambda v: exchange().replace(b"\r\n", f"\r\nAuthorization: Basic {v}\r\n".encode(), 1),
    }  # fmt: skip


async def flood(house: House, chance: random.Random, count: int) -> Counter[str]:
    """So many requests, each with a value of its own; returns how often each kind was answered, by status."""
    said, makers, batches = Counter[str](), list(kinds(house).items()), iter(range(0, count, AT_ONCE))

    def value() -> str:
        """Mostly short."""
        return f"{chance.getrandbits(128):032x}" * chance.choice([1, 1, 1, 1, 1, 1, 1, 40])

    async def batch(line: Line, first: int) -> None:
        asked = []
        for turn in range(first, first + AT_ONCE):
            name, make = makers[turn % len(makers)]
            if name not in ALONE:
                asked.append((name, line.send(make(value()))))
                continue
            async with Line(house.port, anywhere(chance)) as own:
                said[f"{name} {(await own.send(make(value()))).status}"] += 1
        for name, reply in asked:
            said[f"{name} {(await reply).status}"] += 1

    async def connections() -> None:
        for first in batches:
            async with Line(house.port, f"127.0.0.{chance.randrange(2, 255)}") as line:
                for more in (first, *itertools.islice(batches, STAYS)):
                    await batch(line, more)

    await asyncio.gather(*(connections() for _ in range(LINES)))
    assert not [name for name in said if name[-3] == "5"], said
    return said


def anywhere(chance: random.Random) -> str:
    """One of this machine's addresses."""
    return f"127.{chance.randrange(1, 255)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"


def resident(house: House) -> int:
    """Kilobytes of memory that the worker has of its own."""
    assert house.process
    (worker,) = leaves(house.process.pid) - {house.process.pid}  # what was started only watches it
    status = Path(f"/proc/{worker}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")))


async def parts(house: House, chance: random.Random, first: int, second: int, more: float) -> None:
    """The flood in its two parts; the second may leave so much more behind, as a part of what was there."""
    await flood(house, chance, first)
    before = resident(house)
    said = await flood(house, chance, second)
    after = resident(house)
    print(*(f"{name}: {times}" for name, times in sorted(said.items())), sep="\n")
    print(f"{first} and {second} values; resident {before / 1024:.1f} -> {after / 1024:.1f} MB")
    assert after < before * (1 + more) + 1024


async def test_memory_is_flat_under_values_never_seen_before(tmp_path: Path, long_torture: bool):
    chance = replay.chance(long_torture)
    environment = {
        "VALETKEY_LOGIN_ATTEMPTS_PER_ACCOUNT": "1",  # what is throttled needs no hash
        "VALETKEY_LOGIN_ATTEMPTS_PER_NETWORK": "1",
        "VALETKEY_SERVER_TRUSTED_PROXIES": "127.0.0.0/24",  # these are believed about X-Forwarded-For
    }
    log = Path("/dev/null") if long_torture else tmp_path / "log"
    house = House(f"sqlite:///{tmp_path}/flood.db", log, 1, environment)
    async with house.standing():
        await parts(house, chance, *LONG if long_torture else SHORT)
