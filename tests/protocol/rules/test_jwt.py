"""JWTs of others: the standards' own examples, and every way to make one that must not be believed (RFC 8725)."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.samples import NOW
from tests.signing import Signer, b64, key_set, keyed, unsigned
from valetkey.protocol.changes import Once
from valetkey.protocol.rules import jwk, jwt
from valetkey.protocol.rules.jwt import SIGNED, STRONG, Untrusted

SIGNERS = {name: Signer(name) for name in ("ES256", "RS256", "PS256", "EdDSA", "Ed25519")}
EC, RSA = SIGNERS["ES256"], SIGNERS["RS256"]
CLAIMS = {"iss": "app"}


def refused(text: str) -> str:
    with pytest.raises(Untrusted) as caught:
        jwt.read(text)
    return told(caught.value)


WORDS = {
    "long": {"is longer than 8192 characters"},
    "malformed": {
        "is not a signed JWT in the compact form",
        "is not a JWT that all readers read alike",
        "has no alg, or a typ that is no string",
        "has a kid that is no string of at most 256 characters",
    },
    "critical": {"has critical header members that are not understood here"},
    "typ": {"has a typ that does not belong here"},
    "alg": {"is signed with an algorithm that is not allowed here"},
    "key_unknown": {"is signed with a key that is not one of the registered ones"},
    "signature": {"has a wrong signature"},
    "jti": {"has jti that is no string of 1 to 256 characters"},
    "aud": {"has no aud"},
    "exp": {"has no exp", "has exp that is no number of seconds"},
    "expired": {"has expired"},
    "exp_far": {"lives longer than 300 seconds"},
    "iat_ahead": {"has iat in the future"},
    "nbf_ahead": {"has nbf in the future"},
    "iat": {"has iat that is no number of seconds"},
    "nbf": {"has nbf that is no number of seconds"},
}


def told(no: Untrusted) -> str:
    """The reason, once the words belong to it."""
    assert no.words in WORDS[no.reason] and str(no) == no.words
    assert no.words.isascii() and '"' not in no.words
    return no.reason


def not_signed(text: str, keys: str, allowed: frozenset[str] = SIGNED) -> str:
    with pytest.raises(Untrusted) as caught:
        jwt.signed_by(jwt.read(text), jwk.read_set(keys), allowed)
    return told(caught.value)


@pytest.mark.parametrize("name", SIGNERS)
def test_each_algorithm(name: str) -> None:
    signer, stranger = SIGNERS[name], Signer("ES256", "b")
    token = jwt.read(signer.jwt(CLAIMS, {"typ": "application/JWT"}))
    key = jwt.signed_by(token, jwk.read_set(key_set(stranger, signer)), SIGNED)
    assert key.kid == "a" and token.claims == CLAIMS and token.typ == "jwt" and token.algorithm == name


def test_rfc_7515_a3_es256() -> None:
    key = {
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }
    text = (
        "eyJhbGciOiJFUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    token = jwt.read(text)
    assert jwt.signed_by(token, (jwk.read(key),), SIGNED).kid is None
    assert token.claims == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}


def test_what_was_changed_is_noticed() -> None:
    for signer in SIGNERS.values():
        head, payload, signature = signer.jwt(CLAIMS).split(".")
        forged = b64(json.dumps({"iss": "other"}).encode())
        assert not_signed(f"{head}.{forged}.{signature}", signer.jwks) == "signature"
        assert not_signed(f"{head}.{payload}.{b64(signer.signature(b'other'))}", signer.jwks) == "signature"
        assert not_signed(f"{head}.{payload}.", signer.jwks) == "signature"
        assert not_signed(f"{head}.{payload}.{b64(bytes(64))}", signer.jwks) == "signature"


def test_another_key_of_the_same_name() -> None:
    assert not_signed(EC.jwt(CLAIMS), Signer("ES256", "a").jwks) == "signature"


def test_alg_none_and_an_algorithm_that_is_not_allowed() -> None:
    for name in ("none", "None", "NONE", "nOnE", "", "HS256", "RS384", "es256", "RSA-OAEP", "dir"):
        assert not_signed(unsigned(CLAIMS, name), EC.jwks) == "alg"
    assert not_signed(RSA.jwt(CLAIMS), RSA.jwks, STRONG) == "alg"


def test_a_public_key_is_no_secret() -> None:
    """HS256 with the public key as the secret; CVE-2024-37568, CVE-2022-29217, CVE-2017-11424."""
    for secret in (RSA.jwks.encode(), json.dumps(RSA.jwk).encode(), b""):
        assert not_signed(keyed(CLAIMS, secret), RSA.jwks) == "alg"
        assert not_signed(keyed(CLAIMS, secret), RSA.jwks, SIGNED | {"HS256"}) == "key_unknown"


def test_the_algorithm_is_the_keys() -> None:
    """RS256 with a key for PS256, ES256 with an RSA key."""
    strict = Signer("PS256", more={"alg": "PS256"})
    assert not_signed(Signer("RS256", key=strict.key).jwt(CLAIMS), strict.jwks) == "key_unknown"
    assert not_signed(EC.jwt(CLAIMS), RSA.jwks) == "key_unknown"
    assert not_signed(EC.jwt(CLAIMS, {"alg": "RS256"}), RSA.jwks) == "signature"


def test_kid_only_looks_up() -> None:
    for kid in ("b", "../../etc/passwd", "' OR 1=1 --", "http://evil.example/keys"):
        assert not_signed(EC.jwt(CLAIMS, {"kid": kid}), EC.jwks) == "key_unknown"
    nameless = Signer("ES256", None)
    keys = jwk.read_set(key_set(RSA, EC, nameless))
    assert jwt.signed_by(jwt.read(nameless.jwt(CLAIMS)), keys, SIGNED).kid is None
    assert jwt.signed_by(jwt.read(nameless.jwt(CLAIMS, {"kid": "whatever"})), keys, SIGNED).kid is None
    assert jwt.signed_by(jwt.read(EC.jwt(CLAIMS, {"kid": None})), keys, SIGNED).kid == "a"


def test_a_key_in_the_header_is_read_by_nobody() -> None:
    thief = Signer("ES256", "a")
    for member in (
        {"jwk": thief.jwk},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
    ):
        assert not_signed(thief.jwt(CLAIMS, member), EC.jwks) == "signature"
        assert jwt.signed_by(jwt.read(EC.jwt(CLAIMS, member)), jwk.read_set(EC.jwks), SIGNED)


def head(**members: Any) -> str:
    return EC.jwt(CLAIMS, members)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("a.b", "malformed"),
        ("a.b.c", "malformed"),
        ("..", "malformed"),
        ("a.b.c.d.e", "malformed"),
        (EC.jwt(CLAIMS) + ".", "malformed"),
        (EC.jwt(CLAIMS) + "=", "malformed"),
        (EC.jwt(CLAIMS) + "\n", "malformed"),
        (" " + EC.jwt(CLAIMS), "malformed"),
        ('{"payload":"e30","signatures":[]}', "malformed"),
        (EC.raw(b"[]", b"{}"), "malformed"),
        (EC.raw(b'{"alg":"ES256"}', b"text"), "malformed"),
        (EC.raw(b'{"alg":"ES256"}', b'{"iss":"a","iss":"b"}'), "malformed"),
        (EC.raw(b'{"alg":"none","alg":"ES256"}', b"{}"), "malformed"),
        (EC.raw(b'{"alg":"ES256"}', b'{"exp":NaN}'), "malformed"),
        (EC.raw(b'{"alg":"ES256"}', b'{"exp":1e400}'), "malformed"),
        (EC.raw(b'{"alg":"ES256"}', b'{"iss":"a\\u0000"}'), "malformed"),
        (EC.raw(b'{"alg":"ES256"}', b"\xff\xfe"), "malformed"),
        (EC.raw(b'{"alg":"ES256"}', EC.jwt(CLAIMS).encode()), "malformed"),
        (EC.raw(b"{}", b"{}"), "malformed"),
        (head(alg=["ES256"]), "malformed"),
        (head(typ=1), "malformed"),
        (head(kid=1), "malformed"),
        (head(kid="k" * 257), "malformed"),
        (head(crit=["exp"]), "critical"),
        (head(crit=[]), "critical"),
        (head(crit=["b64"], b64=False), "critical"),
        (head(b64=False), "critical"),
        (EC.jwt({"x": "y" * 8192}), "long"),
    ],
)
def test_what_cannot_be_read(text: str, reason: str) -> None:
    assert refused(text) == reason


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda data: f"{b64(data)}.{b64(data)}.{b64(data)}"))
def test_nothing_but_a_refusal(text: str) -> None:
    assert refused(text) == "malformed"


def test_the_type_must_belong_here() -> None:
    for said, types, well in (
        (None, {""}, True),
        (None, {"jwt"}, False),
        ("JWT", {"jwt"}, True),
        ("application/jwt", {"jwt"}, True),
        ("at+jwt", {"jwt", ""}, False),
        ("application/application/jwt", {"jwt"}, False),
    ):
        token = jwt.read(EC.jwt(CLAIMS, {"typ": said}))
        if well:
            jwt.check_type(token, types)
        else:
            with pytest.raises(Untrusted) as caught:
                jwt.check_type(token, types)
            assert told(caught.value) == "typ"


def test_strings() -> None:
    assert jwt.string({"jti": "a"}, "jti") == "a" and jwt.string({}, "jti") is None
    assert jwt.string({"jti": "a" * 256}, "jti")
    for wrong in ("", "a" * 257, 1, True, ["a"], {"a": 1}):
        with pytest.raises(Untrusted) as caught:
            jwt.string({"jti": wrong}, "jti")
        assert told(caught.value) == "jti"


@pytest.mark.parametrize(("aud", "found"), [("a", ("a",)), (["a"], ("a",)), (["a", "b"], ("a", "b"))])
def test_audiences(aud: object, found: tuple[str, ...]) -> None:
    assert jwt.audience({"aud": aud}) == found


@pytest.mark.parametrize("aud", [None, "", [], [""], ["a", 1], 1, {"a": "b"}, True])
def test_no_audience(aud: object) -> None:
    with pytest.raises(Untrusted) as caught:
        jwt.audience({"aud": aud})
    assert told(caught.value) == "aud"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW + 1}, ""),
        ({"exp": NOW + 0.5}, ""),
        ({"exp": NOW + 330}, ""),
        ({"exp": NOW + 60, "iat": NOW + 10, "nbf": NOW + 10}, ""),
        ({"exp": NOW + 60, "iat": NOW + 30}, ""),
        ({"exp": NOW + 60, "iat": NOW - 10_000}, ""),
        ({}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": str(NOW + 1)}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": [NOW + 1]}, "exp"),
        ({"exp": NOW}, "expired"),
        ({"exp": 0}, "expired"),
        ({"exp": -1}, "expired"),
        ({"exp": NOW + 331}, "exp_far"),
        ({"exp": 1e300}, "exp_far"),
        ({"exp": NOW + 60, "iat": NOW + 31}, "iat_ahead"),
        ({"exp": NOW + 60, "nbf": NOW + 61}, "nbf_ahead"),
        ({"exp": NOW + 60, "iat": "now"}, "iat"),
        ({"exp": NOW + 60, "nbf": False}, "nbf"),
    ],
)
def test_times(claims: dict[str, object], reason: str) -> None:
    if not reason:
        assert NOW < jwt.check_times(claims, NOW, 300) <= NOW + 331
        return
    with pytest.raises(Untrusted) as caught:
        jwt.check_times(claims, NOW, 300)
    assert told(caught.value) == reason


def test_bounds_are_bounds() -> None:
    assert refused("A" * 8193) == "long"
    assert refused("A" * 8192) == "malformed"
    assert jwt.read(EC.jwt(CLAIMS, {"kid": "k" * 256})).kid == "k" * 256


def test_the_header_is_at_hand_for_those_who_need_it() -> None:
    assert jwt.read(EC.jwt(CLAIMS, {"jwk": EC.jwk})).header["jwk"] == EC.jwk


def test_a_jti_is_of_one_owner_and_one_purpose() -> None:
    assert jwt.once("dpop", "a", "b", NOW) == Once(hashlib.sha256(b"dpop\0a\0b").digest(), NOW)
