"""Key pairs: made, written down, signed with (RFC 7518 3 and 6, RFC 8037; thumbprints of RFC 7638)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from valetkey.protocol.rules import base64url

Jwk = dict[str, str]
Sign = Callable[[bytes], bytes]
RSA_BITS = 2048
SHA256 = hashes.SHA256()
PSS = padding.PSS(padding.MGF1(SHA256), padding.PSS.DIGEST_LENGTH)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """How a key pair is made, which members its public JWK has, and how it signs."""

    make: Callable[[], Any]
    jwk: Callable[[Any], Jwk]
    sign: Callable[[Any, bytes], bytes]


def es256(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """R and S side by side (RFC 7518 3.4)."""
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def ec_jwk(key: ec.EllipticCurvePrivateKey) -> Jwk:
    """RFC 7518 6.2.1."""
    point = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": number(point.x, 32), "y": number(point.y, 32)}


def rsa_jwk(key: rsa.RSAPrivateKey) -> Jwk:
    """RFC 7518 6.3.1."""
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}


def okp_jwk(key: ed25519.Ed25519PrivateKey) -> Jwk:
    """RFC 8037 2."""
    return {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(key.public_key().public_bytes_raw())}


def new_rsa() -> rsa.RSAPrivateKey:
    """A new RSA key pair."""
    return rsa.generate_private_key(65537, RSA_BITS)


ALGORITHMS: dict[str, Algorithm] = {
    "ES256": Algorithm(lambda: ec.generate_private_key(ec.SECP256R1()), ec_jwk, es256),
    "RS256": Algorithm(new_rsa, rsa_jwk, lambda key, data: key.sign(data, padding.PKCS1v15(), SHA256)),
    "PS256": Algorithm(new_rsa, rsa_jwk, lambda key, data: key.sign(data, PSS, SHA256)),
    "EdDSA": Algorithm(ed25519.Ed25519PrivateKey.generate, okp_jwk, lambda key, data: key.sign(data)),
}


def make(alg: str) -> tuple[str, str, bytes]:
    """A new key pair: its kid, its public JWK as JSON, its private half (PKCS #8). RSA takes its time."""
    algorithm = ALGORITHMS[alg]
    kid = "-"
    while kid.startswith("-"):  # an operator must be able to type it behind a command
        key = algorithm.make()
        jwk = algorithm.jwk(key)
        kid = thumbprint(jwk)
    public = msgspec.json.encode({**jwk, "kid": kid, "use": "sig", "alg": alg}).decode()
    return kid, public, key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def signer(alg: str, private: bytes) -> Sign:
    """What signs with the private half."""
    key, sign = load_der_private_key(private, None), ALGORITHMS[alg].sign
    return lambda data: sign(key, data)


def thumbprint(jwk: Jwk) -> str:
    """RFC 7638 3: the SHA-256 of the members that make the key, in the order of their names."""
    data = msgspec.json.encode(jwk, order="deterministic")
    return base64url.encode(hashlib.sha256(data).digest())


def number(value: int, length: int = 0) -> str:
    """A number as base64url, of a fixed length where the curve has one (RFC 7518 2, 6.2.1.2)."""
    return base64url.encode(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))
