"""What we sign, read as others read it: with the keys that are published, and without our own rules (RFC 7515 5.2).

header, claims = read(token, keys)      keys: those of a JWKS, of which the one that it names must have signed it
"""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text: str) -> int:
    return int.from_bytes(octets(text), "big")


def header_of(token: str) -> dict[str, Any]:
    """What a token says of itself."""
    found: dict[str, Any] = json.loads(octets(token.split(".")[0]))
    return found


def read(token: str, keys: Iterable[Mapping[str, str]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims. Raises InvalidSignature."""
    head, payload, signature = token.split(".")
    header = header_of(token)
    (jwk,) = (key for key in keys if key["kid"] == header["kid"])
    assert header["alg"] == jwk["alg"]
    check(jwk, octets(signature), f"{head}.{payload}".encode())
    return header, json.loads(octets(payload))


def check(jwk: Mapping[str, str], signature: bytes, data: bytes) -> None:
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


def public_key(jwk: Mapping[str, str]) -> Any:
    match jwk["kty"]:
        case "EC":
            numbers = ec.EllipticCurvePublicNumbers(number(jwk["x"]), number(jwk["y"]), ec.SECP256R1())
            return numbers.public_key()
        case "RSA":
            return rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])).public_key()
        case _:
            return ed25519.Ed25519PublicKey.from_public_bytes(octets(jwk["x"]))
