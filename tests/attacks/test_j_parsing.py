"""J. Parsing and availability: too long, too many, packed, in another alphabet. A clear 4xx, and alive afterwards."""

import base64
import gc
import gzip
import time
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import structlog

from tests.flows.browser import Browser
from tests.house import ONE_STORE, PASSWORD, Answer, App, Build, House, Person, multipart
from valetkey.settings import RegistrationSettings, ServerSettings

pytestmark = ONE_STORE

FORM = b"application/x-www-form-urlencoded"
TOKEN, TODAY, LOGIN, SIGNUP = "/oauth/access_token", "/oauth/token", "/accounts/login/", "/accounts/signup/"
CONSENT, REGISTER = "/oauth/authorize/consent", "/developer/register/"
LOGOUT, EDIT, PICTURE = "/accounts/logout/", "/accounts/edit/", "/accounts/picture/"
BODIES = [TOKEN, TOKEN + "/", TODAY, LOGIN, SIGNUP, CONSENT, LOGOUT, EDIT, REGISTER]
PAGES = ["/", LOGIN, SIGNUP, EDIT, "/accounts/manage_access/", "/accounts/sessions/", "/developer/", REGISTER]
QUERIES = [*PAGES, "/oauth/authorize", "/v1/users/self", "/v1/users/1"]


class Target:
    """A server with somebody logged in, and a form's fields that would be good."""

    def __init__(self, house: House, app: App, browser: Browser) -> None:
        self.house, self.app, self.browser = house, app, browser
        self.cookie = f"__Host-valetkey={browser.session}".encode()

    async def good(self) -> dict[str, dict[str, str]]:
        """Fields that each endpoint would take."""
        csrf = {"csrf": (await self.browser.open(EDIT)).form(EDIT).fields["csrf"]}
        code = self.house.exchange_fields(self.app, "0" * 32)
        return {path: code if path.startswith(("/oauth/access", "/oauth/tok")) else csrf for path in BODIES}

    async def post(
        self, path: str, body: Any, content_type: bytes | None = FORM, *more: tuple[bytes, bytes]
    ) -> Answer:
        kind = [] if content_type is None else [(b"content-type", content_type)]
        headers = [*kind, (b"cookie", self.cookie), *more]
        return await self.house.raw("POST", path, b"", headers, body)

    async def get(self, path: str, query: bytes = b"", *more: tuple[bytes, bytes]) -> Answer:
        return await self.house.raw("GET", path, query, [(b"cookie", self.cookie), *more])


def check_clear(path: str, answer: Answer, *statuses: int) -> None:
    """A refusal in the endpoint's own form, without a stack trace, that nobody keeps."""
    assert answer.status in statuses, (path, answer.status, answer.body[:300])
    assert answer.header("cache-control") == "no-store"
    assert answer.header("content-type") == "application/json"
    assert b"Traceback" not in answer.body and b"File " not in answer.body and len(answer.body) < 1000
    body = answer.json()
    if path == TODAY:
        assert set(body) == {"error", "error_description"}
    elif path.startswith("/v1/"):
        assert set(body) == {"meta"} and body["meta"]["code"] == answer.status
    else:
        assert {"code", "error_type", "error_message"} <= set(body) and body["code"] == answer.status


@pytest.fixture
async def target(house: House) -> AsyncIterator[Target]:
    """Alive before, and alive after whatever a test does to it."""
    snoop = await house.make_account()
    app = await house.make_app()
    browser = await house.logged_in(snoop)
    yield Target(house, app, browser)
    assert await house.lives(await house.token(browser, app))
    assert (await house.raw("GET", "/healthz")).status == 200


async def test_J1_long_values_and_large_bodies(target: Target) -> None:
    for path, fields in (await target.good()).items():
        began = time.thread_time()
        for name in (*fields, "unknown", "decision", "username", "x" * 300):
            long = urlencode(fields | {name: "x" * 20_000}).encode()
            check_clear(path, await target.post(path, long), 400)
        for size in (70_000, 1_000_000):
            body = urlencode(fields | {"x": "y" * size}).encode()
            check_clear(path, await target.post(path, body), 413)
            check_clear(path, await target.post(path, body, None), 413)
            length = (b"content-length", str(len(body)).encode())
            check_clear(path, await target.post(path, body, FORM, length), 413)
        assert time.thread_time() - began < 2


async def test_J1_a_large_body_is_not_read_to_its_end(target: Target) -> None:
    """32 MB in pieces: the server has enough after the first 64 KB."""
    for path in BODIES:
        read = Counted([b"x" * 65536] * 512)
        answer = await read.post(target, path)
        check_clear(path, answer, 413)
        assert read.count < 5, path


class Counted:
    """A body that says how much of it was asked for."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces, self.count = pieces, 0

    async def post(self, target: Target, path: str) -> Answer:
        genuine = target.house.app

        async def counting(scope: Any, receive: Any, send: Any) -> None:
            async def counted() -> Any:
                self.count += 1
                return await receive()

            await genuine(scope, counted, send)

        target.house.app = counting
        try:
            return await target.post(path, self.pieces)
        finally:
            target.house.app = genuine


async def test_J1_long_addresses(target: Target) -> None:
    for path in QUERIES:
        answer = await target.get(path, b"x=" + b"y" * 9000)
        assert answer.status in (200, 414), path
        if path.startswith(("/oauth", "/v1")):
            check_clear(path, answer, 414)


async def test_J2_multipart_that_is_no_multipart(target: Target) -> None:
    """CVE-2023-25577, CVE-2023-46136, CVE-2023-30798."""
    b = b"----boundary"
    start = b"--" + b + b"\r\nContent-Disposition: form-data; name="
    bodies: dict[str, tuple[bytes, bytes]] = {
        "100k parts": (b"\r\n".join(start + b'"x%d"\r\n\r\n' % n for n in range(900)), b),
        "no end": (start + b'"a"\r\n\r\nvalue', b),
        "no end after boundary": (start + b'"a"\r\n\r\nvalue\r\n--' + b, b),
        "no boundary": (b"a=b", b""),
        "long boundary": (b"a=b", b"x" * 71),
        "odd boundary": (b"a=b", b'x"<>@[]'),
        "another boundary": (b"--other\r\n\r\n--other--\r\n", b),
        "many headers": (b"--" + b + b"\r\n" + b"X: y\r\n" * 5000 + b"\r\nz\r\n--" + b + b"--\r\n", b),
        "long header": (b"--" + b + b"\r\nX: " + b"y" * 60_000 + b"\r\n\r\nz\r\n--" + b + b"--\r\n", b),
        "no name": (b"--" + b + b"\r\nContent-Disposition: form-data\r\n\r\nz\r\n--" + b + b"--\r\n", b),
        "attachment": (b"--" + b + b'\r\nContent-Disposition: attachment; name="a"\r\n\r\nz\r\n--' + b + b"--\r\n", b),
        "no disposition": (b"--" + b + b"\r\n\r\nz\r\n--" + b + b"--\r\n", b),
        "bad header": (b"--" + b + b"\r\n: x\r\n\r\nz\r\n--" + b + b"--\r\n", b),
        "lines": (b"--" + b + b"\n" * 60_000, b),
        "crs": (b"--" + b + b"\r\n" + b"\r" * 60_000, b),
        "dashes": (b"-" * 65_000, b),
        "almost the boundary": ((b"\r\n--" + b[:-1]) * 4000, b),
        "bad UTF-8": (start + b'"a"\r\n\r\n\xff\r\n--' + b + b"--\r\n", b),
        "bad UTF-8 in the name": (start + b'"\xff"\r\n\r\nx\r\n--' + b + b"--\r\n", b),
        "nul": (start + b'"a"\r\n\r\na\0b\r\n--' + b + b"--\r\n", b),
        "base64": (
            start + b'"a"\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--' + b + b"--\r\n", b
        ),
        "twice": (start + b'"a"\r\n\r\n1\r\n' + start + b'"a"\r\n\r\n2\r\n--' + b + b"--\r\n", b),
        "two files": ((start + b'"f"; filename="x"\r\n\r\n1\r\n') * 2 + b"--" + b + b"--\r\n", b),
        "empty": (b"", b),
    }  # fmt: skip
    began = time.thread_time()
    for path in (*BODIES, PICTURE):
        for what, (body, boundary) in bodies.items():
            kind = b"multipart/form-data; boundary=" + boundary
            answer = await target.post(path, body, kind)
            assert answer.status in (400, 415), (path, what, answer.status, answer.body)
            check_clear(path, answer, 400, 415)
    assert time.thread_time() - began < 5


async def test_J2_a_picture_bomb_is_not_unpacked(target: Target) -> None:
    """A small file that says it is 50,000 pixels wide."""
    import struct

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0))
    bomb = (
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1_000_000)) + chunk(b"IEND", b"")
    )
    page = await target.browser.open(EDIT)
    began = time.thread_time()
    page = await target.browser.submit(
        page, page.form(PICTURE), {}, files={"picture": ("x.png", bomb, "image/png")}
    )
    assert page.status == 400 and "The file" in page.text
    assert time.thread_time() - began < 2


async def test_J3_a_hundred_thousand_fields(target: Target) -> None:
    began = time.thread_time()
    for path, fields in (await target.good()).items():
        for many, status in ((101, 400), (9_000, 400), (100_000, 413)):
            body = urlencode(fields).encode() + b"".join(b"&x%d=" % n for n in range(many))
            check_clear(path, await target.post(path, body), status)
        body, content_type = multipart(fields | {f"x{n}": "" for n in range(101)})
        check_clear(path, await target.post(path, body, content_type), 400)
        for body in (b"&" * 60_000, b"=" * 60_000, b"&=" * 30_000, b"%41" * 20_000):
            answer = await target.post(path, body)
            assert 400 <= answer.status < 500, (path, body[:3])
    for path in ("/oauth/authorize", "/v1/users/self"):
        for query in (b"&".join(b"x%d=" % n for n in range(101)), b"&".join(b"a%d" % n for n in range(1500))):
            check_clear(path, await target.get(path, query), 400)
    assert time.thread_time() - began < 5


async def test_J4_packed_bodies(target: Target) -> None:
    """A gzip bomb is not unpacked: no Content-Encoding but identity."""
    bomb = gzip.compress(b"\0" * 1_000_000)
    for path, fields in (await target.good()).items():
        plain = urlencode(fields).encode()
        for encoding in (
            b"gzip",
            b"GZIP",
            b"deflate",
            b"br",
            b"zstd",
            b"gzip, gzip",
            b"x",
            b"identity, gzip",
        ):
            for body in (bomb, gzip.compress(plain), plain):
                answer = await target.post(path, body, FORM, (b"content-encoding", encoding))
                check_clear(path, answer, 415)


CHARSETS = [
    b"utf-7", b"utf-16", b"utf-32", b"latin-1", b"iso-8859-1", b"windows-1252", b"shift_jis", b"gb18030", b"ebcdic",
    b"cp037", b"hex", b"base64", b"zlib", b"bz2", b"rot13", b"uu", b"quopri", b"unicode_escape", b"raw_unicode_escape",
    b"idna", b"punycode", b"undefined", b"mbcs", b"x" * 1000, b"../../etc/passwd", b"utf-8-sig", b"",
]  # fmt: skip


async def test_J5_other_alphabets(target: Target) -> None:
    """Python knows codecs that unpack, decode and execute; none of them is asked."""
    for path, fields in (await target.good()).items():
        for charset in CHARSETS:
            for kind in (FORM, b"multipart/form-data; boundary=x"):
                answer = await target.post(path, urlencode(fields).encode(), kind + b"; charset=" + charset)
                assert answer.status == 415 or charset == b"", (path, charset)
                assert answer.status < 500
        for kind in (
            b"application/json",
            b"text/plain",
            b"multipart/mixed; boundary=x",
            b"*/*",
            b"a",
            b"/",
            b";",
            b"\xff",
        ):
            check_clear(path, await target.post(path, urlencode(fields).encode(), kind), 415)
        head = b'--x\r\nContent-Disposition: form-data; name="a"\r\n'
        part = head + b"Content-Type: text/plain; charset=utf-7\r\n\r\n+AGE-\r\n--x--\r\n"
        answer = await target.post(path, part, b"multipart/form-data; boundary=x")
        assert answer.status < 500
        charset = b'--x\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\nutf-16\r\n--x--\r\n'
        answer = await target.post(path, charset, b"multipart/form-data; boundary=x")
        assert answer.status < 500


async def test_J8_nothing_grows_with_what_is_sent(build: Build) -> None:
    """Counters that are kept in memory by what strangers say have an end."""
    from valetkey.server import tally, usage

    house = await build()
    kept = house.server.failures
    for number in range(tally.MOST_KEYS + 500):
        kept.count("192.0.2.1", f"client{number}")
    assert len(kept.counts) <= tally.MOST_KEYS + 1
    house.clock.forward(60)
    kept.count("192.0.2.1", "x")
    assert len(kept.counts) == 1
    assert usage.MOST_KEYS < 1_000_000
    for number in range(50):
        await house.raw("GET", "/v1/users/self", b"access_token=%d" % number)
    assert house.server.usage.counts == {}, "unknown tokens are not counted"


async def test_J10_methods(target: Target) -> None:
    """Every address says no to what it does not know, and never does it anyway."""
    for path in [
        *BODIES,
        *PAGES,
        "/oauth/authorize",
        "/v1/users/self",
        "/healthz",
        "/static/pages.css",
        "/x",
    ]:
        for method in ("TRACE", "PUT", "DELETE", "PATCH", "CONNECT", "PROPFIND", "GETS", "get", ""):
            answer = await target.house.raw(method, path, b"", [(b"cookie", target.cookie)], b"x=y")
            assert answer.status in (404, 405), (method, path)
            assert b"x=y" not in answer.body
            if answer.status == 405:
                assert answer.header("allow"), (method, path)


async def test_J11_no_stack_traces(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of ours is a 500 with a reference; what went wrong is for the log alone."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"secret words: {PASSWORD}")

    house = target.house
    code = urlencode(house.exchange_fields(target.app, "x")).encode()
    for name in ("exchange_facts", "bearer_facts", "authorize_facts", "signed_in"):
        with monkeypatch.context() as patched, structlog.testing.capture_logs() as lines:
            patched.setattr(type(house.store), name, broken)
            asked: dict[str, Callable[[], Any]] = {
                "exchange_facts": lambda: target.post(TOKEN, code),
                "bearer_facts": lambda: target.get("/v1/users/self", b"access_token=x"),
                "authorize_facts": lambda: target.get("/oauth/authorize", b"client_id=x"),
                "signed_in": lambda: target.get(EDIT, b"", (b"accept", b"text/html")),
            }
            answer = await asked[name]()
        assert answer.status == 500, name
        assert [line for line in lines if line["log_level"] == "error"], "an operator must see it"
        for word in (b"RuntimeError", b"Traceback", b"secret words", PASSWORD.encode(), b".py"):
            assert word not in answer.body


async def test_J8_no_refusal_stays_in_memory(build: Build) -> None:
    """One that holds itself stays until Python looks for circles, and with it all that was sent (cli/generation.py)."""
    house = await build(registration=RegistrationSettings(mode="open"))
    app = await house.make_app(profile="oauth21")
    form = (b"content-type", FORM)
    sent = b"client_id=%s&client_secret=no&more=" % app.id.encode() + b"x" * 4000
    basic = (b"authorization", b"Basic " + base64.b64encode(f"{app.id}:{app.secret}".encode()))
    proof = (b"dpop", b"e30.e30." + b"x" * 4000)
    refused: list[tuple[str, str, bytes, list[tuple[bytes, bytes]], bytes]] = [
        ("GET", "/oauth/authorize", b"client_id=nobody&more=" + b"x" * 4000, [], b""),
        (
            "GET",
            "/oauth/authorize",
            b"client_id=%s&redirect_uri=https://evil.example/" % app.id.encode(),
            [],
            b"",
        ),
        ("POST", TODAY, b"", [form], b"grant_type=client_credentials&" + sent),
        ("POST", TODAY, b"", [form, basic], b"grant_type=authorization_code&code=no"),
        ("POST", TODAY, b"", [form, basic, proof], b"grant_type=authorization_code&code=no"),
        ("POST", TODAY, b"", [form, basic], b"grant_type=nothing"),
        ("POST", TOKEN, b"", [form], b"grant_type=authorization_code&code=no&" + sent),
        *(("POST", f"/oauth/{name}", b"", [form], b"token=no&" + sent) for name in ("introspect", "revoke")),
        ("POST", "/oauth/par", b"", [form, basic], b"request=e30.e30." + b"x" * 4000),
        ("POST", "/oauth/device_authorization", b"", [form, basic], b"scope=no"),
        ("POST", "/oauth/register", b"", [(b"content-type", b"application/json")], b"{" + b"x" * 4000),
        ("GET", "/v1/users/self", b"access_token=" + b"x" * 4000, [], b""),
    ]
    for method, path, query, headers, body in refused:
        await house.raw(method, path, query, headers, body)
        gc.collect()
        gc.disable()
        try:
            answers = [await house.raw(method, path, query, headers, body) for _ in range(10)]
            assert gc.collect() < 5 * len(answers), (path, query, body)
        finally:
            gc.enable()
        assert {400, 401} >= {answer.status for answer in answers}, (path, answers[0])


async def test_J13_a_proxy_is_believed_only_if_it_is_ours(build: Build) -> None:
    """CVE-2024-47070: what cannot be read is not believed; a client cannot choose where it comes from."""
    from starlette.requests import Request

    from valetkey.web.guard import network

    house = await build(server=ServerSettings(trusted_proxies=("10.0.0.1", "10.0.0.2")))

    def seen(client: str, *forwarded: bytes) -> str:
        headers = [(b"x-forwarded-for", value) for value in forwarded]
        scope = {"type": "http", "headers": headers, "client": (client, 1), "app": house.app, "path": "/"}
        return network(Request(scope))

    assert seen("192.0.2.1", b"198.51.100.1") == "192.0.2.1", "not through our proxy"
    assert seen("10.0.0.1", b"198.51.100.1") == "198.51.100.1"
    assert seen("10.0.0.1", b"6.6.6.6, 198.51.100.1, 10.0.0.2") == "198.51.100.1", "the last that is not ours"
    for nonsense in (
        b"",
        b"unknown",
        b"evil",
        b"198.51.100.1:80",
        b"1.2.3",
        b"'; DROP",
        b"\xff",
        b"for=1.2.3.4",
    ):
        assert seen("10.0.0.1", b"6.6.6.6, " + nonsense) == "10.0.0.1", nonsense
    assert seen("unix:") == "unknown"
    assert seen("::ffff:192.0.2.1") == "192.0.2.1"


async def test_J1_a_password_form_keeps_its_limits_when_logged_out(house: House) -> None:
    """The same at the pages' door for who has no session."""
    browser = house.browser()
    page = await browser.open(LOGIN)
    person: Person = await house.make_account()
    fields = page.login_form.fields | {"username": person.username, "password": "x" * 16_500}
    answer = await browser.ask("POST", LOGIN, data=fields, headers={"accept": "application/json"})
    assert answer.status_code == 400
