"""The peers: how each is filled, started, logged into and asked; the same operations, on their own paths."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import wire
from browser import REDIRECT, Browser
from servers import HERE, Good, Server

BROWSERS, TOKENS = 8, 200
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 appendix B, with its challenge
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
RENEWS = re.compile(rb'"refresh_token":"([^"]+)"')
CODE = re.compile(rb"(?im)^location:[^\r]*[?&]code=([^&\s#]+)")
SCRIPTS = HERE / "peers"
ADDRESS = "http://127.0.0.1:{port}"
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
BASIC = "Authorization: Basic " + base64.b64encode(b"bench:bench-secret").decode()
BEARER = "Authorization: Bearer {token}"


@dataclass(frozen=True)
class Ask:
    """One operation: `{code}`, `{token}` and `{cookie}` are filled in. With a form it is a POST."""

    path: str
    good: Good
    headers: tuple[str, ...] = ()
    form: Mapping[str, str] | None = None

    def bytes(self, host: str, **values: str) -> bytes:
        headers = [one.format(**values) for one in self.headers]
        if self.form is None:
            return wire.get(host, self.path, *headers)
        return wire.post(
            host, self.path, {name: text.format(**values) for name, text in self.form.items()}, *headers
        )


@dataclass(frozen=True)
class Peer:
    """What one of them is. `fill` and `command` name {port}, {home} of what is installed, {database}, {scripts}."""

    name: str
    engine: str
    asks: Mapping[str, Ask]
    command: tuple[str, ...]
    needs: str
    fill: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    token_path: str = ""  # the authorization request of tokens that say who somebody is, if it is another
    enter: Callable[[Browser, int], None] | None = None  # where its pages need JavaScript


@dataclass
class PeerServer(Server):
    """A peer that is running."""

    peer: Peer | None = None
    home: Path = Path()
    database: str = ""

    def __post_init__(self) -> None:
        assert self.peer is not None
        self.asks, self.host = self.peer.asks, f"127.0.0.1:{self.port}"
        self.GOOD = {name: ask.good for name, ask in self.asks.items()}
        self.LEARNS = {"authorize", "exchange"} if "refresh" in self.asks else {"authorize"}
        self.places = {
            "port": str(self.port),
            "home": str(self.home),
            "database": self.database,
            "scripts": str(SCRIPTS),
            "python": sys.executable,
        }

    def command(self) -> list[object]:
        return [part.format(**self.places) for part in self.peer.command]

    def environment(self) -> dict[str, str]:
        own = {name: value.format(**self.places) for name, value in self.peer.environment.items()}
        return dict(os.environ) | {"DATABASE": self.database} | own

    def prepare(self, rounds: int, codes: int) -> None:
        if self.peer.fill:
            command = [part.format(**self.places) for part in self.peer.fill]
            given = {"cwd": self.folder, "env": self.environment(), "capture_output": True, "text": True}
            done = subprocess.run(command, **given)
            if done.returncode:
                raise RuntimeError(f"{self.name} could not be filled: {done.stderr[-1000:]}")

    def log_in(self) -> None:
        """Browsers with a session and a remembered yes; tokens, each from a flow of its own."""
        path = self.asks["authorize"].path
        requests, tokens = [], []
        for number in range(BROWSERS):
            browser = Browser(ADDRESS.format(port=self.port))
            form = {name: value.format(i=number) for name, value in self.peer.form.items()}
            if self.peer.enter:
                self.peer.enter(browser, number)
            else:
                browser.walk(path, form)
            for _ in range(TOKENS // BROWSERS):
                tokens.append(self.token(browser, browser.walk(self.peer.token_path or path, form)))
            cookie = "Cookie: " + browser.cookie(path)
            requests += [wire.get(self.host, f"{path}&state=state{n}", cookie) for n in range(8)]
        self.write("authorize", requests)
        for name in ("bearer", "introspect", "client-credentials"):
            if name in self.asks:
                self.write(name, [self.asks[name].bytes(self.host, token=token) for token in tokens])

    def token(self, browser: Browser, led_to: str) -> str:
        """What a code is exchanged for."""
        (code,) = parse_qs(urlsplit(led_to).query)["code"]
        ask = self.asks["exchange"]
        head, _, body = ask.bytes(self.host, code=code).partition(b"\r\n\r\n")
        for line in head.decode().split("\r\n"):
            if line.startswith("Authorization: "):
                browser.opener.addheaders = [("Authorization", line.partition(" ")[2])]
        status, _, text = browser.send("POST", ask.path, body)
        assert status == 200, f"{self.name}: {status} {text[:300]}"
        token: str = json.loads(text)["access_token"]
        return token

    def learn(self, operation: str, number: int, answers: Path) -> None:
        """The codes that it gave are what it exchanges next, and the refresh tokens are what it refreshes then."""
        what, then = (CODE, "exchange") if operation == "authorize" else (RENEWS, "refresh")
        found = [match[1].decode() for answer in wire.read(answers) if (match := what.search(answer))]
        ask = self.asks[then]
        self.write(f"{then}-{number}", [ask.bytes(self.host, code=one, token=one) for one in found])

    def write(self, name: str, requests: list[bytes]) -> None:
        wire.write(self.folder / f"{name}.requests", requests)


def asked(path: str, scope: str, **more: str) -> str:
    """An authorization request."""
    query = {"client_id": "bench", "redirect_uri": REDIRECT, "response_type": "code", "scope": scope}
    return path + "?" + urlencode(query | more)


def exchanged(secret: str | None, pkce: bool = True) -> dict[str, str]:
    """A token request."""
    form = {
        "grant_type": "authorization_code",
        "code": "{code}",
        "redirect_uri": REDIRECT,
        "client_id": "bench",
    }
    return (
        form | ({"client_secret": secret} if secret else {}) | ({"code_verifier": VERIFIER} if pkce else {})
    )


LED_BACK, A_TOKEN = REDIRECT + "?code=", '"access_token"'
LIVING = '"active":true'
OIDCP_SECRET = {"client_id": "bench", "client_secret": "bench-secret-bench-secret"}
OIDCP = {
    "authorize": Ask(asked("/auth", "api", **PKCE), Good(303, LED_BACK)),
    "exchange": Ask("/token", Good(200, A_TOKEN), form=exchanged(OIDCP_SECRET["client_secret"])),
    "bearer": Ask("/me", Good(200, '"sub":"user'), (BEARER,)),
    "introspect": Ask("/token/introspection", Good(200, LIVING), form={"token": "{token}", **OIDCP_SECRET}),
    "client-credentials": Ask(
        "/token", Good(200, A_TOKEN), form={"grant_type": "client_credentials", **OIDCP_SECRET}
    ),
}
RENEWED = {"grant_type": "refresh_token", "refresh_token": "{token}", **OIDCP_SECRET}
OIDCP_REFRESH = {
    "authorize": OIDCP["authorize"],
    "exchange": OIDCP["exchange"],
    "refresh": Ask("/token", Good(200, '"refresh_token"'), form=RENEWED),
}
DJANGO = {
    "authorize": Ask(asked("/o/authorize/", "read", approval_prompt="auto", **PKCE), Good(302, LED_BACK)),
    "exchange": Ask("/o/token/", Good(200, A_TOKEN), form=exchanged("bench-secret")),
    "bearer": Ask("/o/userinfo/", Good(200, '"sub": "'), (BEARER,)),
    "introspect": Ask("/o/introspect/", Good(200, '"active": true'), (BASIC,), {"token": "{token}"}),
}
AUTHLIB = {
    "authorize": Ask(asked("/authorize", "read", **PKCE), Good(302, LED_BACK)),
    "exchange": Ask("/token", Good(200, A_TOKEN), form=exchanged("bench-secret")),
    "bearer": Ask("/me", Good(200, '"username":"user'), (BEARER,)),
    "introspect": Ask("/introspect", Good(200, '"active": true'), (BASIC,), {"token": "{token}"}),
}
GLEWLWYD = {
    "authorize": Ask(asked("/api/glwd/auth", "read", g_continue="1"), Good(302, LED_BACK)),
    "exchange": Ask("/api/glwd/token", Good(200, A_TOKEN), (BASIC,), exchanged(None, pkce=False)),
    "bearer": Ask("/api/glwd/profile", Good(200, '"username":"user'), (BEARER,)),
    "introspect": Ask("/api/glwd/introspect", Good(200, LIVING), (BASIC,), {"token": "{token}"}),
}


def enter_glewlwyd(browser: Browser, number: int) -> None:
    """Its pages are JavaScript; this is what they send."""
    who = {"username": f"user{number}", "password": f"password{number}"}
    browser.send_json("POST", "/api/auth/", who)
    browser.send_json("PUT", "/api/auth/grant/bench", {"scope": "read"})


def oidcp(engine: str, refresh: bool = False) -> Peer:
    """It keeps what it is told to in `engine`; with `refresh` an exchange gives a refresh token, too, used once."""
    command = ("{home}/node/runtime", "--no-warnings", "{scripts}/oidcp.mjs", "{port}", "{database}")
    environment = {"BENCH_NODE": "{home}/node", "NODE_ENV": "production", "REFRESH": "1" if refresh else ""}
    form, tokens = {"login": "user{i}", "password": "any"}, asked("/auth", "openid", **PKCE)
    asks = OIDCP_REFRESH if refresh else OIDCP
    name = f"oidcp {engine}" + (", refresh" if refresh else "")
    return Peer(name, engine, asks, command, "node", (), environment, form, tokens)


def on_gunicorn(
    name: str, module: str, asks: Mapping[str, Ask], form: Mapping[str, str], tokens: str
) -> Peer:
    """One worker with four threads, as both documents say."""
    threads = "-k gthread --threads 4 -w 1 --keep-alive 30 --log-level warning".split()
    where = ("--chdir", "{scripts}", "-b", "127.0.0.1:{port}")
    command = ("{home}/python/bin/gunicorn", f"{module}", *where, *threads)
    fill = ("{home}/python/bin/python", "{scripts}/" + module.partition(":")[0] + ".py")
    environment = {"PYTHONDONTWRITEBYTECODE": "1"}
    return Peer(name, "sqlite", asks, command, "python", fill, environment, form, tokens)


DJANGO_FORM, AUTHLIB_FORM = {"username": "user{i}", "password": "pw"}, {"username": "user{i}"}
PEERS = {
    "oidcp": tuple(map(oidcp, ("sqlite", "postgresql", "memory"))),
    "oidcp-refresh": (oidcp("sqlite", True), oidcp("postgresql", True)),
    "django": (
        on_gunicorn(
            "django-oauth-toolkit",
            "django_toolkit:application",
            DJANGO,
            DJANGO_FORM,
            asked("/o/authorize/", "openid", approval_prompt="auto", **PKCE),
        ),
    ),
    "authlib": (on_gunicorn("authlib flask", "authlib_flask:app", AUTHLIB, AUTHLIB_FORM, ""),),
    "glewlwyd": (
        Peer(
            "glewlwyd",
            "sqlite",
            GLEWLWYD,
            ("glewlwyd", "-c", "glewlwyd.conf"),
            "glewlwyd",
            ("{python}", "{scripts}/glewlwyd.py", "{port}"),
            enter=enter_glewlwyd,
        ),
    ),
}
