"""Public keys: RFC 7517's own, and every key that is not to be believed."""

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tests.signing import Signer, b64, key_set, number, public_jwk, rsa
from valetkey.protocol.rules import jwk

EC, RSA, OKP = (Signer(name).jwk for name in ("ES256", "RS256", "EdDSA"))
# RFC 7638 3.1 and RFC 8037 A.3
RFC_7638 = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3"
    "oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qM"
    "QvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKn"
    "qDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
RFC_8037 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def test_thumbprints_of_the_standards() -> None:
    assert jwk.read(RFC_7638).thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert jwk.read(RFC_8037).thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize(
    ("given", "kind", "algorithms"),
    [
        (EC, EllipticCurvePublicKey, {"ES256"}),
        (RSA, RSAPublicKey, {"RS256", "PS256"}),
        (RSA | {"alg": "PS256"}, RSAPublicKey, {"PS256"}),
        (RSA | {"alg": "RSA-OAEP"}, RSAPublicKey, set()),
        (EC | {"alg": "HS256"}, EllipticCurvePublicKey, set()),
        (OKP, Ed25519PublicKey, {"EdDSA", "Ed25519"}),
        (OKP | {"alg": "Ed25519", "use": "sig", "key_ops": ["verify"]}, Ed25519PublicKey, {"Ed25519"}),
    ],
)
def test_keys_and_what_they_may_be_used_with(given: dict[str, Any], kind: type, algorithms: set[str]) -> None:
    key = jwk.read(given)
    assert isinstance(key.public, kind) and key.algorithms == algorithms and key.kid == "a"


SMALL = public_jwk(rsa(1024))
LARGE = {"kty": "RSA", "e": "AQAB", "n": number(2**8192 + 1)}
BAD = {
    "kind": ({"kty": "oct", "k": "c2VjcmV0"}, "kind"),
    "no kind": ({}, "kind"),
    "kind that is no string": ({"kty": ["EC"]}, "kind"),
    "private EC": (EC | {"d": "AA"}, "private"),
    "private RSA": (RSA | {"p": "AA"}, "private"),
    "symmetric member": (EC | {"k": "AA"}, "private"),
    "for encryption": (EC | {"use": "enc"}, "not for signatures"),
    "use that is no string": (EC | {"use": ["sig"]}, "not for signatures"),
    "to sign with": (EC | {"key_ops": ["sign"]}, "not for signatures"),
    "key_ops": (EC | {"key_ops": "verify"}, "key_ops"),
    "other curve": (EC | {"crv": "P-384"}, "malformed"),
    "off the curve": (EC | {"y": EC["x"]}, "malformed"),
    "short x": (EC | {"x": b64(b"a" * 31)}, "malformed"),
    "long y": (EC | {"y": b64(b"a" * 33)}, "malformed"),
    "x not base64url": (EC | {"x": EC["x"] + "="}, "malformed"),
    "x that is no string": (EC | {"x": 1}, "no good x"),
    "no y": ({name: value for name, value in EC.items() if name != "y"}, "no good y"),
    "weak RSA": (SMALL, "malformed"),
    "huge RSA": (LARGE, "malformed"),
    "even n": (RSA | {"n": number(2**2048 - 2)}, "malformed"),
    "even e": (RSA | {"e": number(65536)}, "malformed"),
    "e of one": (RSA | {"e": number(1)}, "malformed"),
    "huge e": (RSA | {"e": number(2**32 + 1)}, "malformed"),
    "X25519": (OKP | {"crv": "X25519"}, "malformed"),
    "short Ed25519": (OKP | {"x": b64(b"a" * 31)}, "malformed"),
    "kid that is no string": (EC | {"kid": 1}, "no good kid"),
    "long kid": (EC | {"kid": "k" * 257}, "no good kid"),
    "alg that is no string": (EC | {"alg": None}, "no good alg"),
    "x5c": (EC | {"x5c": "AA"}, "no good x5c"),
    "x5c not base64": (EC | {"x5c": ["-_"]}, "no good x5c"),
    "x5c of numbers": (EC | {"x5c": [[1]]}, "no good x5c"),
    "x5t": (EC | {"x5t#S256": 1}, "no good x5t"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_key_that_is_not_to_be_believed(name: str) -> None:
    given, words = BAD[name]
    with pytest.raises(jwk.BadKey, match=words) as caught:
        jwk.read(given)
    assert str(caught.value) in WHOLE
    text = json.dumps({"keys": [given]})
    assert jwk.read_set(text) == ()
    assert words in (jwk.why_not_registrable(text) or "")


def test_a_set_is_what_can_be_used_of_it() -> None:
    good, other = Signer("ES256", "good"), Signer("EdDSA", None)
    keys = jwk.read_set(
        json.dumps({"keys": [{"kty": "new"}, good.jwk, EC | {"use": "enc"}, other.jwk], "more": 1})
    )
    assert [key.kid for key in keys] == ["good", None]
    assert jwk.read_set(key_set(good)) is jwk.read_set(key_set(good)), "parsed once"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a JSON object"),
        ("[]", "not a JSON object"),
        ('{"keys":[],"keys":[]}', "not a JSON object"),
        ("{}", "no list of keys"),
        ('{"keys":{}}', "no list of keys"),
        ('{"keys":["x"]}', "no list of keys"),
        (json.dumps({"keys": [EC] * 21}), "more than 20"),
        (json.dumps({"keys": [], "x": "y" * 16384}), "longer than 16384"),
        ('{"keys":[]}'.ljust(16385), "longer than 16384"),
    ],
)
def test_a_set_that_is_none(text: str, words: str) -> None:
    with pytest.raises(jwk.BadKey, match=words) as caught:
        jwk.read_set(text)
    assert jwk.why_not_registrable(text) == str(caught.value) and str(caught.value) in WHOLE


def test_a_set_just_within_bounds() -> None:
    assert jwk.read_set('{"keys":[]}'.ljust(16384)) == ()
    assert len(jwk.members(json.dumps({"keys": [EC] * 20}))) == 20


WHOLE = {
    "is not a JSON object that all read alike",
    "has no list of keys",
    "has more than 20 keys",
    "is longer than 16384 characters",
    "is of a kind that is not supported (EC, RSA and OKP are)",
    "has private members",
    "is not for signatures",
    "is malformed",
    *(f"has no good {name}" for name in "x y kid alg key_ops x5c x5t#S256".split()),
}


def test_bounds_are_bounds() -> None:
    assert jwk.why_not_registrable('{"keys":[]}'.ljust(16384)) == "has no keys"
    assert (
        jwk.why_not_registrable(json.dumps({"keys": [public_jwk(Signer().key) for _ in range(20)]})) is None
    )
    assert jwk.read(EC | {"kid": "k" * 256}).kid == "k" * 256
    assert jwk.read({"kty": "RSA", "e": "AQAB", "n": number(2**8191 + 1)})
    assert jwk.read(RSA | {"e": number(2**31 + 1)})


def test_a_coordinate_is_written_in_full() -> None:
    """RFC 7518 6.2.1.2: the zero in front belongs to it, or one key would have two names."""
    key = next(
        key
        for key in (derive_private_key(secret, SECP256R1()) for secret in range(1, 5000))
        if key.public_key().public_numbers().x < 2**248
    )
    whole = public_jwk(key)
    assert jwk.read(whole)
    with pytest.raises(jwk.BadKey, match="malformed"):
        jwk.read(whole | {"x": number(key.public_key().public_numbers().x)})


def test_what_can_be_registered() -> None:
    assert (
        jwk.why_not_registrable(key_set(Signer("ES256", "a"), Signer("EdDSA", "b"), Signer("RS256", None)))
        is None
    )
    assert jwk.why_not_registrable('{"keys":[]}') == "has no keys"
    assert jwk.why_not_registrable(key_set(Signer(), Signer())) == "has two keys of one kid"


def test_the_certificates_a_key_comes_with() -> None:
    given = EC | {"x5c": [base64.b64encode(b"der").decode(), "other"], "x5t#S256": "abc"}
    assert jwk.read(given).certificates == {b64(hashlib.sha256(b"der").digest()), "abc"}
    assert jwk.read(EC | {"x5c": []}).certificates == frozenset()
