"""DPoP proofs: is this call made by who holds the key? (RFC 9449 4; C15, C16)"""

import hashlib
import hmac
import re

from msgspec import Struct

from valetkey.protocol.changes import Once
from valetkey.protocol.errors import InvalidDpopProof, InvalidRequest, UseDpopNonce
from valetkey.protocol.facts import Known
from valetkey.protocol.rules import base64url, jwk, jwt
from valetkey.protocol.rules.jwk import BadKey
from valetkey.protocol.rules.jwt import Untrusted, Unverified

TYPES = ("dpop+jwt",)
OLDEST = 60  # seconds; a proof is sent when it is made (RFC 9449 11.1)
THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
PARTS = re.compile(r"(https?)://([^/?#@\\]+)([^?#\\]*)(?:[?#].*)?", re.IGNORECASE)
PORT = {"http": ":80", "https": ":443"}
ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Call(Struct, frozen=True):
    """What a proof must be made for: this method and address, signed like this and, at a resource, with this token.

    also: another address of the same (RFC 8705 5).
    """

    method: str
    url: str
    algorithms: frozenset[str]
    token: str = ""
    also: str = ""


class Proof(Struct, frozen=True):
    """A proof that holds: the thumbprint of its key (RFC 7638), and that it is used up now."""

    jkt: str
    once: Once


def check(text: str, call: Call, known: Known, now: int) -> Proof:
    """The checks of RFC 9449 4.3. Raises InvalidDpopProof, UseDpopNonce."""
    try:
        proof = jwt.read(text)
        jwt.check_type(proof, TYPES)
        jkt = signer(proof, call.algorithms)
        check_call(proof, call)
        jti, since = jwt.string(proof.claims, "jti"), jwt.time(proof.claims, "iat")
        if jti is None or since is None:
            raise Untrusted("malformed", "must have jti and iat")
        if not now - OLDEST <= since <= now + jwt.AHEAD:
            raise Untrusted("iat", f"was not made in the last {OLDEST} seconds")
        once = jwt.once("dpop", jkt, jti, int(since) + OLDEST + 1)
        if once.key in known.used:
            raise Untrusted("replayed", "was used before")
    except Untrusted as no:
        raise InvalidDpopProof(f"dpop_{no.reason}", f"the DPoP proof {no.words}") from None
    check_nonce(proof, known)
    return Proof(jkt, once)


def signer(proof: Unverified, algorithms: frozenset[str]) -> str:
    """The thumbprint of the key in the header, if that signed the proof. Raises Untrusted."""
    member = proof.header.get("jwk")
    if not isinstance(member, dict):
        raise Untrusted("jwk", "has no jwk in its header")
    try:
        key = jwk.read(member)
    except BadKey as no:
        raise Untrusted("jwk", f"has a jwk that {no}") from None
    return jwt.signed_by(proof, [key], algorithms).thumbprint


def check_call(proof: Unverified, call: Call) -> None:
    """It is for this method, this address and this token. Raises Untrusted."""
    method, url = jwt.string(proof.claims, "htm"), jwt.string(proof.claims, "htu", jwt.LONGEST)
    if method != call.method:
        raise Untrusted("htm", f"is not for {call.method}")
    if url is None or normal(url) not in (normal(call.url), normal(call.also or call.url)):
        raise Untrusted("htu", "is for another address")
    if call.token:
        digest = base64url.encode(hashlib.sha256(call.token.encode()).digest())
        if not hmac.compare_digest(digest, jwt.string(proof.claims, "ath") or ""):
            raise Untrusted("ath", "is not for this access token")


def check_nonce(proof: Unverified, known: Known) -> None:
    """Where nonces are given out, a proof carries one that still counts (RFC 9449 8). Raises UseDpopNonce."""
    if known.nonces and proof.claims.get("nonce") not in known.nonces:
        raise UseDpopNonce("dpop_nonce", "the DPoP proof must carry the nonce of the DPoP-Nonce header")


def normal(url: str) -> tuple[str, str, str] | str:
    """An address without query and fragment, in its one spelling (RFC 9449 4.3, RFC 3986 6.2.2 and 6.2.3)."""
    parts = PARTS.fullmatch(url)
    if parts is None:
        return url
    scheme, host = parts[1].lower(), parts[2].lower()
    return scheme, host.removesuffix(PORT[scheme]), ENCODED.sub(plain, parts[3]) or "/"


def plain(encoded: re.Match[str]) -> str:
    """A percent-encoding, taken away where it says nothing."""
    byte = int(encoded[1], 16)
    return chr(byte) if byte in UNRESERVED else encoded[0].upper()


def read_thumbprint(asked: str | None) -> str:
    """dpop_jkt of an authorization request (RFC 9449 10); "" for none. Raises InvalidRequest."""
    if asked is not None and not THUMBPRINT.fullmatch(asked):
        raise InvalidRequest("dpop_jkt_malformed", "dpop_jkt is not 43 characters of base64url")
    return asked or ""
