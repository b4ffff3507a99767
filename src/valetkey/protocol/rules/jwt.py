"""JWTs of others: read strictly, then verified with a key and an algorithm that we chose (RFC 7515, 7519, 8725)."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from valetkey.protocol.changes import Once
from valetkey.protocol.rules import base64url, strict_json
from valetkey.protocol.rules.jwk import LONGEST_ID, Key, PublicKey

LONGEST = 8 * 1024
AHEAD = 30  # seconds that a clock may be ahead of ours (FAPI 2.0 5.3.2.1: 10 must be borne, 60 not)
STRONG = frozenset({"ES256", "PS256", "EdDSA", "Ed25519"})  # FAPI 2.0 5.4.1
SIGNED = STRONG | {"RS256"}


class Untrusted(Exception):
    """This JWT proves nothing: `reason` is a slug for the log, `words` go on after the name of what carried it."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words


@dataclass(frozen=True, slots=True)
class Unverified:
    """A JWT that could be read. Nothing in it is true before `signed_by`."""

    algorithm: str
    kid: str | None
    typ: str
    header: Mapping[str, object]
    claims: Mapping[str, object]
    signed: bytes
    signature: bytes


def read(text: str) -> Unverified:
    """A JWT in the compact form (RFC 7515 7.1, RFC 7519 7.2). Raises Untrusted.

    Keys and addresses of keys in the header (jwk, jku, x5c, x5u) are read by nobody: whoever signs can write them.
    """
    if len(text) > LONGEST:
        raise Untrusted("long", f"is longer than {LONGEST} characters")
    parts = text.split(".")
    if len(parts) != 3:
        raise Untrusted("malformed", "is not a signed JWT in the compact form")
    try:
        header, claims = (strict_json.read_object(base64url.decode(part)) for part in parts[:2])
        signature = base64url.decode(parts[2])
    except ValueError:
        raise Untrusted("malformed", "is not a JWT that all readers read alike") from None
    if "crit" in header or "b64" in header:
        raise Untrusted("critical", "has critical header members that are not understood here")
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(algorithm, str) or not isinstance(typ, str):
        raise Untrusted("malformed", "has no alg, or a typ that is no string")
    if kid is not None and (not isinstance(kid, str) or len(kid) > LONGEST_ID):
        raise Untrusted("malformed", f"has a kid that is no string of at most {LONGEST_ID} characters")
    signed = text.rpartition(".")[0]
    return Unverified(
        algorithm, kid, typ.lower().removeprefix("application/"), header, claims, signed.encode(), signature
    )


def check_type(token: Unverified, types: Iterable[str]) -> None:
    """The typ must be one of these, "" for none at all: so that no JWT passes for another (RFC 8725 3.11)."""
    if token.typ not in types:
        raise Untrusted("typ", "has a typ that does not belong here")


def candidates(token: Unverified, keys: Iterable[Key]) -> list[Key]:
    """The keys that may have signed it: of its algorithm, and of its kid where both have one (RFC 7515 4.1.4)."""
    return [
        key
        for key in keys
        if token.algorithm in key.algorithms and (token.kid is None or key.kid in (None, token.kid))
    ]


def signed_by(token: Unverified, keys: Iterable[Key], allowed: frozenset[str]) -> Key:
    """The key that signed it, with an algorithm that both the key and we allow (RFC 8725 3.1). Raises Untrusted."""
    if token.algorithm not in allowed:
        raise Untrusted("alg", "is signed with an algorithm that is not allowed here")
    found = candidates(token, keys)
    if not found:
        raise Untrusted("key_unknown", "is signed with a key that is not one of the registered ones")
    for key in found:
        if verifies(token, key.public):
            return key
    raise Untrusted("signature", "has a wrong signature")


def verifies(token: Unverified, public: PublicKey) -> bool:
    """Whether the signature is this key's. The key's kind decides how it is checked, never the header alone."""
    try:
        if isinstance(public, EllipticCurvePublicKey):
            if len(token.signature) != 64:
                return False
            r, s = int.from_bytes(token.signature[:32]), int.from_bytes(token.signature[32:])
            public.verify(encode_dss_signature(r, s), token.signed, ECDSA(SHA256()))
        elif isinstance(public, RSAPublicKey):
            public.verify(token.signature, token.signed, RSA_PADDING[token.algorithm], SHA256())
        else:
            public.verify(token.signature, token.signed)
    except InvalidSignature:
        return False
    return True


RSA_PADDING = {"RS256": padding.PKCS1v15(), "PS256": padding.PSS(padding.MGF1(SHA256()), 32)}


def string(claims: Mapping[str, object], name: str, longest: int = LONGEST_ID) -> str | None:
    """A claim that must be a string with something in it, if it is there. Raises Untrusted."""
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise Untrusted(name, f"has {name} that is no string of 1 to {longest} characters")
    return value


def time(claims: Mapping[str, object], name: str) -> float | None:
    """A NumericDate, if it is there (RFC 7519 2). Raises Untrusted."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Untrusted(name, f"has {name} that is no number of seconds")
    return value


def audience(claims: Mapping[str, object]) -> tuple[str, ...]:
    """Whom it is meant for: a string or a list of strings (RFC 7519 4.1.3). Raises Untrusted."""
    value = claims.get("aud")
    found = value if isinstance(value, list) else [value]
    if not found or not all(isinstance(each, str) and each for each in found):
        raise Untrusted("aud", "has no aud")
    return tuple(found)


def check_times(claims: Mapping[str, object], now: int, longest: int) -> int:
    """exp must be there, ahead and near; iat and nbf, if they are there, not ahead. Returns exp. Raises Untrusted."""
    check_begun(claims, now)
    ends = time(claims, "exp")
    if ends is None:
        raise Untrusted("exp", "has no exp")
    if ends <= now:
        raise Untrusted("expired", "has expired")
    if ends > now + longest + AHEAD:
        raise Untrusted("exp_far", f"lives longer than {longest} seconds")
    return int(ends) + 1


def check_begun(claims: Mapping[str, object], now: int) -> None:
    """iat and nbf, if they are there, are not ahead. Raises Untrusted."""
    for name in ("iat", "nbf"):
        since = time(claims, name)
        if since is not None and since > now + AHEAD:
            raise Untrusted(f"{name}_ahead", f"has {name} in the future")


def once(purpose: str, owner: str, jti: str, until: int) -> Once:
    """That this jti of this owner is used up for this purpose; no string in a JWT has a NUL."""
    return Once(hashlib.sha256("\0".join((purpose, owner, jti)).encode()).digest(), until)
