"""Random bytes as query, body, cookies, credentials and content type, at every address: never a 5xx."""

import base64
from typing import NamedTuple
from urllib.parse import quote_plus

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.flows.browser import Browser
from tests.house import ONE_STORE, House
from valetkey.web.guard import csrf_for

pytestmark = ONE_STORE
PATHS = [
    "/oauth/authorize", "/oauth/authorize/", "/oauth/authorize/consent", "/oauth/access_token", "/oauth/token",
    "/v1/users/self", "/v1/users/1", "/", "/accounts/login/", "/accounts/logout/", "/accounts/signup/",
    "/accounts/edit/", "/accounts/email/", "/accounts/picture/", "/accounts/password/change/", "/accounts/sessions/",
    "/accounts/manage_access/", "/developer/", "/developer/register/", "/developer/apps/x/",
    "/developer/apps/x/secret/", "/theme.css", "/icon.svg", "/pictures/x.jpg", "/static/pages.css", "/nowhere",
    "/healthz",
]  # fmt: skip
NAMES = (
    "client_id client_secret redirect_uri response_type scope state code grant_type code_challenge "
    "code_challenge_method code_verifier access_token sig csrf ticket decision username password full_name email bio "
    "website next current new session name type profile redirect_uris overlap confirm tester check done prompt"
).split()
TYPES = [
    b"", b"application/x-www-form-urlencoded", b"application/x-www-form-urlencoded; charset=utf-8",
    b"multipart/form-data", b"multipart/form-data; boundary=x",
    b'multipart/form-data; boundary="x"', b"application/json",
    b"multipart/form-data; boundary*=utf-8''x", b"multipart/form-data; boundary*0=x; boundary*1=y", b"a/b; charset*=x",
    b'application/x-www-form-urlencoded; charset="', b"; charset=utf-8", b"multipart/form-data; boundary=x; boundary=y",
]  # fmt: skip
KNOWN = "code token basic allow deny authorization_code S256 classic web 0 \ud7ff https://x/".split()


class Sent(NamedTuple):
    """One request."""

    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    logged_in: bool


def encoded(pairs: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs).encode()


def parts(pairs: list[tuple[str, bytes]]) -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="'
    return (
        b"".join(head + name.encode() + b'"\r\n\r\n' + value + b"\r\n" for name, value in pairs)
        + b"--x--\r\n"
    )


texts = st.one_of(st.sampled_from(KNOWN), st.text(max_size=40))
forms = st.lists(st.tuples(st.sampled_from(NAMES), texts), max_size=8, unique_by=lambda pair: pair[0]).map(
    encoded
)
soup = st.lists(st.sampled_from([*"&=%+;?[].#\x00\xff\r\n", "%00", "%ff", "%zz", *NAMES]), max_size=20)
anything = st.one_of(st.binary(max_size=200), forms, soup.map(lambda words: "".join(words).encode("latin-1")))
multiparts = st.lists(st.tuples(st.sampled_from(NAMES), st.binary(max_size=40)), max_size=6).map(parts)
basics = st.binary(max_size=60).map(lambda text: b"Basic " + base64.b64encode(text))
credentials = st.one_of(
    basics, st.binary(max_size=60), st.binary(max_size=40).map(b"Bearer ".__add__), st.just(b"Basic")
)
cookies = st.one_of(
    st.binary(max_size=80),
    st.binary(max_size=50).map(b"__Host-valetkey=".__add__),
    st.lists(
        st.sampled_from([b"__Host-valetkey", b"=", b";", b'"', b" ", b"$Version", b"\\", b"a"]), max_size=12
    ).map(b"".join),
)
header = st.one_of(
    st.tuples(st.just(b"authorization"), credentials),
    st.tuples(st.just(b"cookie"), cookies),
    st.tuples(st.just(b"content-type"), st.one_of(st.sampled_from(TYPES), st.binary(max_size=60))),
    st.tuples(
        st.sampled_from([
            b"accept", b"origin", b"host", b"user-agent", b"content-length", b"content-encoding", b"x-forwarded-for",
            b"sec-fetch-site", b"referer", b"transfer-encoding", b"if-none-match", b"range", b"if-modified-since",
        ]),
        st.one_of(st.binary(max_size=40), st.sampled_from([b"http://[", b"//[::1", b"id.example]", b"0x10", b"-1"])),
    ),
    st.just((b"accept", b"text/html")),
)  # fmt: skip
requests = st.builds(
    Sent,
    st.sampled_from(["GET", "POST", "POST", "HEAD", "OPTIONS", "PUT"]),
    st.one_of(st.sampled_from(PATHS), st.text(max_size=30).map("/".__add__)),
    anything,
    st.lists(header, max_size=4),
    st.one_of(anything, multiparts),
    st.booleans(),
)


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(sent=requests)
@example(sent=Sent("GET", "/", b"\xff", [(b"accept", b"text/html")], b"", False))
@example(sent=Sent("GET", "/accounts/login", b"\xff", [(b"host", b"\xff")], b"", True))
@example(sent=Sent("POST", "/oauth/token", b"", [(b"authorization", b"")], b"", False))
async def test_J_random_bytes_are_no_bug_of_ours(house: House, browser: Browser, sent: Sent) -> None:
    headers = (
        [(name, value) for name, value in sent.headers if name != b"cookie"]
        if sent.logged_in
        else sent.headers
    )
    if sent.logged_in:
        headers = [*headers, (b"cookie", f"__Host-valetkey={browser.session}".encode())]
    path = sent.path.encode("utf-8", "replace").decode()
    answer = await house.raw(sent.method, path, sent.query, headers, sent.body)
    assert answer.status < 500, answer.body
    where = answer.header("location") or "/"
    assert where.startswith("/") and not where.startswith("//")
    for _, value in answer.headers:
        assert not set(value) & set(b"\r\n\0")
    kind = answer.header("content-type") or ""
    if (
        sent.path.startswith(("/oauth/access_token", "/oauth/token", "/v1/users/self"))
        and answer.status != 204
    ):
        assert kind == "application/json" and (answer.body.startswith(b"{") or sent.method == "HEAD")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    path=st.sampled_from([p for p in PATHS if p.count("/") > 1]),
    body=st.one_of(anything, multiparts),
    kind=st.sampled_from(TYPES),
)
async def test_J_random_forms_that_are_ours(
    house: House, browser: Browser, path: str, body: bytes, kind: bytes
) -> None:
    """Past the door: with the right token for the form, so that what is behind it meets them too."""
    token = browser.session or ""
    csrf = csrf_for(token).encode()
    if kind.startswith(b"multipart"):
        body = b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n' + csrf + b"\r\n" + body
    else:
        body = b"csrf=" + csrf + b"&" + body
    headers = [(b"cookie", f"__Host-valetkey={token}".encode()), *([(b"content-type", kind)] if kind else [])]
    if path != "/accounts/logout/":
        answer = await house.raw("POST", path, b"", headers, body)
        assert answer.status < 500, answer.body
