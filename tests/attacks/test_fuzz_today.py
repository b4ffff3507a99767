"""The endpoints of today under forms, JSON, JWTs, proofs and certificates that make no sense (J1-J5, F3)."""

import base64
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.attacks.test_fuzz import TYPES, anything, credentials, encoded, multiparts
from tests.flows.browser import Browser
from tests.flows.today import basic
from tests.house import CALLBACK, SITE, Answer, App, Build, House
from tests.proofs import Prover
from tests.signing import Signer, b64
from valetkey.protocol import errors
from valetkey.protocol.detail_type import DetailType
from valetkey.settings import AppSettings, RegistrationSettings, ServerSettings
from valetkey.web.guard import csrf_for

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)  # the one that takes no NUL
FORMS = ["/oauth/token", "/oauth/par", "/oauth/introspect", "/oauth/revoke", "/oauth/device_authorization"]
DOCUMENTS = ["/oauth/jwks", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server"]
REGISTER = ["/oauth/register", "/oauth/register/x", "/oauth/register/\0", "/oauth/register/%2f"]
NAMES = (
    "client_id client_secret redirect_uri response_type scope state code grant_type code_challenge request request_uri "
    "code_challenge_method code_verifier token token_type_hint refresh_token device_code assertion client_assertion "
    "client_assertion_type subject_token subject_token_type actor_token actor_token_type audience resource "
    "requested_token_type authorization_details dpop_jkt max_age acr_values prompt response_mode login_hint nonce"
).split()
PREFIX = "urn:ietf:params:oauth:"
GRANTS = [f"{PREFIX}grant-type:{name}" for name in ("device_code", "token-exchange", "jwt-bearer")]
JWT_BEARER = f"{PREFIX}client-assertion-type:jwt-bearer"
WORDS = [
    "authorization_code", "refresh_token", "client_credentials", *GRANTS, JWT_BEARER,
    f"{PREFIX}token-type:access_token",
    "code", "basic", "none", "login", "-1", "99999999999999999999", "1e999", "query.jwt", "jwt", "https://rs.example/",
    f"{PREFIX}request_uri:x", "https://app.example/client.json", CALLBACK, '[{"type":"payment"}]',
    "[" * 600 + "]" * 600,
    '[{"type":["payment"]}]', "{}", "[1]", "\ud7ff", "\u202e",
]  # fmt: skip
CODES = {each.code for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "code")} | {
    "temporarily_unavailable"
}
PLAIN = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*")
ONE_KEY, ONE_PROVER = Signer("ES256", kid="a"), Prover()

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
CLAIMS = (
    "iss sub aud exp iat nbf jti htm htu ath nonce client_id scope response_type redirect_uri crit".split()
)
claims = st.dictionaries(st.sampled_from(CLAIMS), values, max_size=6)
heads = st.dictionaries(st.sampled_from("alg typ kid jwk crit b64 x5c jku".split()), values, max_size=3)


def signed(parts: tuple[dict[str, Any], dict[str, Any]]) -> str:
    """A JWT that our client signed, whatever it says."""
    header, said = parts
    now = {"iss": "x", "aud": SITE, "exp": 1_800_000_030, "iat": 1_800_000_000, "jti": "x"}
    return ONE_KEY.raw(json.dumps({"alg": "ES256"} | header).encode(), json.dumps(now | said).encode())


def proof(parts: tuple[dict[str, Any], dict[str, Any]]) -> str:
    header, said = parts
    head = {"alg": "ES256", "typ": "dpop+jwt", "jwk": ONE_PROVER.signer.jwk} | header
    return ONE_PROVER.signer.raw(json.dumps(head).encode(), json.dumps(said).encode())


def deep(levels: int) -> str:
    return b64(b'{"alg":"ES256"}') + "." + b64(b'{"a":' + b"[" * levels + b"]" * levels + b"}") + ".AA"


tokens = st.one_of(
    st.tuples(heads, claims).map(signed), st.integers(0, 2000).map(deep), st.binary(max_size=30).map(b64),
    st.lists(st.binary(max_size=20).map(b64), min_size=3, max_size=3).map(".".join),
)  # fmt: skip
texts = st.one_of(st.sampled_from(WORDS), tokens, st.text(max_size=30))
pairs = st.lists(st.tuples(st.sampled_from(NAMES), texts), max_size=8, unique_by=lambda pair: pair[0])
certificates = st.one_of(
    st.binary(max_size=200), st.binary(max_size=100).map(base64.b64encode),
    st.binary(max_size=100).map(lambda der: b":" + base64.b64encode(der) + b":"),
)  # fmt: skip
extra = st.lists(
    st.one_of(
        st.tuples(st.just(b"dpop"), st.one_of(st.tuples(heads, claims).map(proof), tokens).map(str.encode)),
        st.tuples(st.just(b"dpop"), st.binary(max_size=50)),
        st.tuples(st.just(b"client-cert"), certificates),
        st.tuples(st.just(b"x-verified"), st.sampled_from([b"SUCCESS", b"0", b"\xff"])),
        st.tuples(st.just(b"authorization"), credentials),
        st.tuples(st.just(b"accept"), st.sampled_from([b"application/token-introspection+jwt", b"\xff"])),
        st.tuples(st.just(b"if-none-match"), st.binary(max_size=20)),
    ),
    max_size=3,
)
many = settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
async def house(build: Build) -> House:
    made: House = await build(
        registration=RegistrationSettings(mode="open", per_network=10**6, per_hour=10**6, most=10**6),
        apps=AppSettings(secret_failures=10**6),
        server=ServerSettings(
            trusted_proxies=("192.0.2.66",),
            client_certificate_header="Client-Cert",
            client_certificate_verified_header="X-Verified",
        ),
        authorization_details=(DetailType("payment", "Pay {amount.value}", ("amount",)),),
    )
    return made


@pytest.fixture
async def app(house: House) -> App:
    made = await house.make_app(profile="oauth21")
    grants = ("authorization_code", "refresh_token", "client_credentials", *GRANTS)
    return await house.registered(made, grant_types=grants, jwks=ONE_KEY.jwks, introspects=True)


def check(answer: Answer, path: str, method: str = "POST") -> None:
    """Nothing is our fault, and whoever asked is told in words that fit."""
    assert answer.status < 500, (path, answer.status, answer.body)
    for _, value in answer.headers:
        assert not set(value) & set(b"\r\n\0")
    if answer.status >= 400 and method != "HEAD":
        told = answer.json()
        assert told["error"] in CODES, told
        assert PLAIN.fullmatch(told["error_description"]), told
        assert answer.header("cache-control") == "no-store"


@many
@given(
    method=st.sampled_from(["POST", "POST", "GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]),
    path=st.sampled_from([*FORMS, *DOCUMENTS, *REGISTER]),
    query=anything,
    body=st.one_of(anything, multiparts, pairs.map(encoded)),
    kind=st.sampled_from(TYPES),
    headers=extra,
)
@example(method="GET", path="/oauth/register/\0", query=b"", body=b"", kind=b"", headers=[])
@example(
    method="DELETE",
    path="/oauth/register/\0",
    query=b"",
    body=b"",
    kind=b"",
    headers=[(b"authorization", b"Bearer x")],
)
async def test_J_anything_at_the_endpoints_of_today(
    house: House, method: str, path: str, query: bytes, body: bytes, kind: bytes, headers: list[tuple[bytes, bytes]]
) -> None:  # fmt: skip
    check(await house.raw(method, path, query, [*headers, (b"content-type", kind)], body), path, method)


@many
@given(path=st.sampled_from(FORMS), said=pairs, headers=extra, assertion=st.one_of(st.none(), tokens))
async def test_J_a_client_that_sends_nonsense(
    house: House, app: App, path: str, said: list[tuple[str, str]], headers: list[tuple[bytes, bytes]],
    assertion: str | None,
) -> None:  # fmt: skip
    """Past the door: it proves who it is, so that what is behind it meets the rest."""
    fields = dict(said)
    headers = [pair for pair in headers if pair[0] != b"authorization"]
    if assertion is None:
        for name in ("client_id", "client_secret", "client_assertion", "client_assertion_type"):
            fields.pop(name, None)
        headers.append((b"authorization", basic(app.id, app.secret or "").encode()))
    else:
        fields |= {"client_id": app.id, "client_assertion": assertion, "client_assertion_type": JWT_BEARER}
    if path == "/oauth/par":
        fields = {"response_type": "code", "redirect_uri": CALLBACK, **fields}
    kind = [(b"content-type", b"application/x-www-form-urlencoded")]
    check(await house.raw("POST", path, b"", [*headers, *kind], encoded(list(fields.items()))), path)


MEMBERS = (
    "client_name redirect_uris grant_types response_types scope client_uri logo_uri token_endpoint_auth_method jwks "
    "jwks_uri token_endpoint_auth_signing_alg application_type software_statement tls_client_auth_subject_dn client_id "
    "tls_client_auth_san_ip dpop_bound_access_tokens require_signed_request_object authorization_details_types "
    "contacts introspection_signed_response_alg registration_token fresh_until introspects client_secret optional_scope"
).split()
members = st.dictionaries(
    st.sampled_from(MEMBERS),
    st.one_of(
        values,
        st.just(json.loads(ONE_KEY.jwks)),
        st.sampled_from([[CALLBACK], ["none"], "private_key_jwt", ["code"]]),
    ),
    max_size=6,
)
json_bodies = st.one_of(
    members.map(lambda said: json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")),
    members.map(lambda said: json.dumps({"redirect_uris": [CALLBACK], **said}).encode()),
    st.integers(0, 3000).map(lambda levels: b'{"client_name":' + b"[" * levels + b"]" * levels + b"}"),
    st.integers(0, 3000).map(lambda levels: b'{"client_name":' * levels + b"1" + b"}" * levels),
    st.binary(max_size=60),
)  # fmt: skip


@many
@given(method=st.sampled_from(["POST", "PUT"]), body=json_bodies)
async def test_J_metadata_that_makes_no_sense(house: House, method: str, body: bytes) -> None:
    typed = [(b"content-type", b"application/json")]
    path, headers = "/oauth/register", typed
    if method == "PUT":
        first = json.dumps({"redirect_uris": [CALLBACK]}).encode()
        made = (await house.raw("POST", path, b"", typed, first)).json()
        path = f"/oauth/register/{made['client_id']}"
        headers = [*typed, (b"authorization", f"Bearer {made['registration_access_token']}".encode())]
        body = body.replace(b'"client_id": null', b'"client_id": "' + made["client_id"].encode() + b'"')
    answer = await house.raw(method, path, b"", headers, body)
    check(answer, path)
    assert answer.status in (200, 201, 400)


@many
@given(said=pairs, logged=st.booleans(), form=st.text(max_size=20), body=anything)
async def test_J_the_pages_of_today(
    house: House, app: App, browser: Browser, said: list[tuple[str, str]], logged: bool, form: str, body: bytes
) -> None:  # fmt: skip
    fields = {"client_id": app.id, "redirect_uri": CALLBACK, "response_type": "code", **dict(said)}
    session = browser.session or ""
    headers = [(b"cookie", f"__Host-valetkey={session}".encode())] if logged else []
    answer = await house.raw("GET", "/oauth/authorize", encoded(list(fields.items())), headers)
    assert answer.status < 500, answer.body
    headers.append((b"content-type", TYPES[1]))
    for path, typed in (("/device", f"user_code={quote(form)}".encode()), ("/device/consent", body)):
        for method in ("GET", "POST"):
            sent = f"csrf={csrf_for(session)}&".encode() + typed
            answer = await house.raw(method, path, typed, headers, sent)
            assert answer.status < 500, answer.body
