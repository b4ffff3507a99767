"""Key pairs sign what others can check with nothing but the public half, and are named by its thumbprint."""

import base64
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from valetkey.server import key_pairs


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text: str) -> int:
    return int.from_bytes(octets(text), "big")


def check(jwk: dict[str, str], signature: bytes, data: bytes) -> None:
    """Check a signature out of the JWK alone. Raises InvalidSignature."""
    sha256, public = hashes.SHA256(), public_key(jwk)
    if jwk["alg"] == "ES256":
        assert len(signature) == 64
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        public.verify(encode_dss_signature(r, s), data, ec.ECDSA(sha256))
    elif jwk["alg"] == "RS256":
        public.verify(signature, data, padding.PKCS1v15(), sha256)
    elif jwk["alg"] == "PS256":
        public.verify(signature, data, padding.PSS(padding.MGF1(sha256), 32), sha256)
    else:
        public.verify(signature, data)


def public_key(jwk: dict[str, str]) -> Any:
    match jwk["kty"]:
        case "EC":
            numbers = ec.EllipticCurvePublicNumbers(number(jwk["x"]), number(jwk["y"]), ec.SECP256R1())
            return numbers.public_key()
        case "RSA":
            return rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])).public_key()
        case _:
            return ed25519.Ed25519PublicKey.from_public_bytes(octets(jwk["x"]))


@pytest.mark.parametrize("alg", key_pairs.ALGORITHMS)
def test_the_public_half_is_all_that_checking_needs(alg: str):
    kid, public, private = key_pairs.make(alg)
    jwk = json.loads(public)
    assert (jwk["kid"], jwk["alg"], jwk["use"]) == (kid, alg, "sig")
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(jwk)
    for data in (b"", b"something to sign"):
        signature = key_pairs.signer(alg, private)(data)
        check(jwk, signature, data)
        with pytest.raises(InvalidSignature):
            check(jwk, signature, data + b"!")


def test_rsa_keys_are_long_enough():
    jwk = json.loads(key_pairs.make("RS256")[1])
    assert number(jwk["n"]).bit_length() == 2048 and jwk["e"] == "AQAB"


def test_coordinates_have_the_length_of_the_curve():
    lengths = {len(json.loads(key_pairs.make("ES256")[1])[name]) for name in "xy" for _ in range(300)}
    assert lengths == {43}  # one in 256 begins with a zero octet, which stays


def test_the_thumbprint_is_that_of_the_standards_example():
    """RFC 7638 3.1 and RFC 8037 A.3."""
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw"
    )
    assert key_pairs.thumbprint({"kty": "RSA", "n": n, "e": "AQAB"}) == (
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    )
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key_pairs.thumbprint({"crv": "Ed25519", "kty": "OKP", "x": x}) == (
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    )


def test_no_kid_looks_like_an_option_of_a_command():
    assert not any(key_pairs.make("ES256")[0].startswith("-") for _ in range(300))
