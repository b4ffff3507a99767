"""Keys of others, and JWTs signed with them: well, or in every wrong way.

key = Signer("ES256", kid="a")
key.jwk, key.jwks                   the public half, as a dict and as the text of a JWKS
key.jwt(claims)                     typ and alg as they should be
key.jwt(claims, header={...})       any header; key.raw(b"...", b"...") signs any bytes
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, size: int | None = None) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8))


@cache
def rsa(bits: int = 2048) -> RSAPrivateKey:
    """One for all tests: they take a while to make."""
    return generate_rsa(65537, bits)


def made(algorithm: str) -> Any:
    if algorithm == "ES256":
        return generate_private_key(SECP256R1())
    return rsa() if algorithm in ("RS256", "PS256") else Ed25519PrivateKey.generate()


def public_jwk(key: Any) -> dict[str, Any]:
    public = key.public_key()
    if isinstance(key, RSAPrivateKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
    if isinstance(key, Ed25519PrivateKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    point = public.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": number(point.x, 32), "y": number(point.y, 32)}


@dataclass
class Signer:
    """Somebody with a key pair."""

    algorithm: str = "ES256"
    kid: str | None = "a"
    key: Any = None
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = self.key or made(self.algorithm)

    @property
    def jwk(self) -> dict[str, Any]:
        named = {} if self.kid is None else {"kid": self.kid}
        return public_jwk(self.key) | named | self.more

    @property
    def jwks(self) -> str:
        return key_set(self)

    def signature(self, data: bytes) -> bytes:
        match self.algorithm:
            case "ES256":
                r, s = decode_dss_signature(self.key.sign(data, ECDSA(SHA256())))
                return r.to_bytes(32) + s.to_bytes(32)
            case "RS256":
                return self.key.sign(data, padding.PKCS1v15(), SHA256())
            case "PS256":
                return self.key.sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
        return self.key.sign(data)

    def raw(self, header: bytes, payload: bytes) -> str:
        signed = f"{b64(header)}.{b64(payload)}"
        return f"{signed}.{b64(self.signature(signed.encode()))}"

    def jwt(self, claims: dict[str, Any], header: dict[str, Any] | None = None) -> str:
        """header: members to add, to replace, or (None) to leave out."""
        plain = {"alg": self.algorithm, "kid": self.kid} | (header or {})
        kept = {name: value for name, value in plain.items() if value is not None}
        return self.raw(json.dumps(kept).encode(), json.dumps(claims).encode())


def key_set(*signers: Signer) -> str:
    """The public halves as a JWKS."""
    return json.dumps({"keys": [signer.jwk for signer in signers]})


def unsigned(claims: dict[str, Any], algorithm: str = "none", signature: bytes = b"") -> str:
    """What was never signed."""
    header = json.dumps({"alg": algorithm}).encode()
    return f"{b64(header)}.{b64(json.dumps(claims).encode())}.{b64(signature)}"


def keyed(claims: dict[str, Any], secret: bytes, header: dict[str, Any] | None = None) -> str:
    """HS256 with any bytes as the key."""
    head = json.dumps({"alg": "HS256"} | (header or {})).encode()
    signed = f"{b64(head)}.{b64(json.dumps(claims).encode())}"
    return f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"
