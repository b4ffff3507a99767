"""Public keys of others: a JWK, and a JWKS with bounds (RFC 7517, RFC 7518 6, RFC 8037, thumbprints RFC 7638)."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from valetkey.protocol.rules import base64url, strict_json

LONGEST_SET = 16 * 1024
MOST_KEYS = 20
LONGEST_ID = 256
RSA_BITS = (2048, 8192)  # less is weak (RFC 7518 3.3), more is slow
PRIVATE = frozenset("d p q dp dq qi oth k".split())
# what each kind of key is made of, in the order of RFC 7638 3.2
MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}
ALGORITHMS = {
    "EC": frozenset({"ES256"}),
    "RSA": frozenset({"PS256", "RS256"}),
    "OKP": frozenset({"Ed25519", "EdDSA"}),
}
PublicKey = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey


class BadKey(ValueError):
    """This is no public key that we would believe; the message says why, in words that go on after "the key"."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key: its name, the algorithms it may be used with, its thumbprint (RFC 7638) in base64url, and the
    SHA-256 of the certificates it comes with."""

    kid: str | None
    algorithms: frozenset[str]
    public: PublicKey
    thumbprint: str
    certificates: frozenset[str] = frozenset()


@lru_cache(maxsize=256)
def read_set(text: str) -> tuple[Key, ...]:
    """The keys of a JWKS that can be used; the others say nothing (RFC 7517 5). Raises BadKey."""
    found = []
    for member in members(text):
        try:
            found.append(read(member))
        except BadKey:
            continue
    return tuple(found)


def why_not_registrable(text: str) -> str | None:
    """What is wrong with a JWKS that somebody registers, in words that go on after its name; None when nothing is."""
    try:
        keys = [read(member) for member in members(text)]
    except BadKey as error:
        return str(error)
    names = [key.kid for key in keys if key.kid is not None]
    if not keys:
        return "has no keys"
    return "has two keys of one kid" if len(set(names)) < len(names) else None


def members(text: str) -> list[Mapping[str, object]]:
    """The JWKs of a JWKS. Raises BadKey."""
    if len(text) > LONGEST_SET:
        raise BadKey(f"is longer than {LONGEST_SET} characters")
    try:
        found = strict_json.read_object(text).get("keys")
    except ValueError:
        raise BadKey("is not a JSON object that all read alike") from None
    if not isinstance(found, list) or not all(isinstance(member, dict) for member in found):
        raise BadKey("has no list of keys")
    if len(found) > MOST_KEYS:
        raise BadKey(f"has more than {MOST_KEYS} keys")
    return found


def read(jwk: Mapping[str, object]) -> Key:
    """One JWK, as the header of a DPoP proof has it too. Raises BadKey."""
    kind = jwk.get("kty")
    if not isinstance(kind, str) or kind not in MEMBERS:
        raise BadKey("is of a kind that is not supported (EC, RSA and OKP are)")
    if not PRIVATE.isdisjoint(jwk):
        raise BadKey("has private members")
    if jwk.get("use", "sig") != "sig" or "verify" not in listed(jwk, "key_ops", ["verify"]):
        raise BadKey("is not for signatures")
    parts = {name: text(jwk, name) for name in MEMBERS[kind]}
    try:
        public = MADE[kind](parts)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKey("is malformed") from None
    algorithms = ALGORITHMS[kind]
    if "alg" in jwk:
        algorithms &= {text(jwk, "alg")}
    return Key(
        text(jwk, "kid") if "kid" in jwk else None, algorithms, public, thumbprint(parts), certificates(jwk)
    )


def text(jwk: Mapping[str, object], name: str) -> str:
    """A member that must be a string. Raises BadKey."""
    value = jwk.get(name)
    if not isinstance(value, str) or (name == "kid" and len(value) > LONGEST_ID):
        raise BadKey(f"has no good {name}")
    return value


def listed(jwk: Mapping[str, object], name: str, default: list[object]) -> list[object]:
    """A member that must be a list. Raises BadKey."""
    value = jwk.get(name, default)
    if not isinstance(value, list):
        raise BadKey(f"has no good {name}")
    return value


def elliptic(parts: Mapping[str, str]) -> PublicKey:
    """P-256, the one curve of ES256 (RFC 7518 6.2.1); a point that is not on it is refused."""
    x, y = base64url.decode(parts["x"]), base64url.decode(parts["y"])
    if parts["crv"] != "P-256" or len(x) != 32 or len(y) != 32:
        raise ValueError
    return EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), SECP256R1()).public_key()


def modular(parts: Mapping[str, str]) -> PublicKey:
    """RSA (RFC 7518 6.3.1)."""
    n, e = int.from_bytes(base64url.decode(parts["n"])), int.from_bytes(base64url.decode(parts["e"]))
    if not RSA_BITS[0] <= n.bit_length() <= RSA_BITS[1] or e.bit_length() > 32 or n % 2 == 0:
        raise ValueError
    return RSAPublicNumbers(e, n).public_key()


def edwards(parts: Mapping[str, str]) -> PublicKey:
    """Ed25519 (RFC 8037 2)."""
    if parts["crv"] != "Ed25519":
        raise ValueError
    return Ed25519PublicKey.from_public_bytes(base64url.decode(parts["x"]))


MADE = {"EC": elliptic, "RSA": modular, "OKP": edwards}


def thumbprint(parts: Mapping[str, str]) -> str:
    """SHA-256 over the members in order, without spaces (RFC 7638 3)."""
    return base64url.encode(hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).digest())


def certificates(jwk: Mapping[str, object]) -> frozenset[str]:
    """SHA-256 of the certificate in x5c, and x5t#S256 (RFC 7517 4.7, 4.9). Raises BadKey."""
    found = set()
    if "x5t#S256" in jwk:
        found.add(text(jwk, "x5t#S256"))
    chain = listed(jwk, "x5c", [])
    if chain:
        try:
            first = base64.b64decode(str(chain[0]), validate=True)
        except ValueError:
            raise BadKey("has no good x5c") from None
        found.add(base64url.encode(hashlib.sha256(first).digest()))
    return frozenset(found)
