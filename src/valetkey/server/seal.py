"""Seals: what a refresh token was answered, kept so that only who shows that very token can read it (decision 0026).

The key comes out of the token (HKDF-SHA-256, RFC 5869), of which we keep a digest only; AES-256-GCM (NIST SP 800-38D)
binds the content to both digests, so that it fits in no other place.
"""

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.model import SealedSuccessor, Terms
from valetkey.protocol.profile import TokenAnswer
from valetkey.protocol.rules.digest import digest
from valetkey.server.mint import Mint

NONCE = 12


class Told(Struct, frozen=True):
    """What was answered, and when."""

    answer: TokenAnswer
    at: int


_read = msgspec.json.Decoder(Told).decode


def sealed(told: Told, terms: Terms, predecessor: str, expires_at: int, mint: Mint) -> SealedSuccessor:
    """The answer as it is kept for who shows its predecessor again."""
    old, new, nonce = digest(predecessor), digest(told.answer.refresh_token), mint.entropy(NONCE)
    content = nonce + AESGCM(key(predecessor)).encrypt(nonce, msgspec.json.encode(told), old + new)
    return SealedSuccessor(old, new, content, expires_at, terms)


def opened(kept: SealedSuccessor, predecessor: str, now: int) -> TokenAnswer:
    """The answer as it is now: less of its lifetime is left."""
    nonce, content = kept.content[:NONCE], kept.content[NONCE:]
    told = _read(AESGCM(key(predecessor)).decrypt(nonce, content, kept.digest + kept.successor))
    lifetime = told.answer.lifetime
    if lifetime is None:
        return told.answer
    return replace(told.answer, lifetime=lifetime - max(0, now - told.at))


def key(predecessor: str) -> bytes:
    """256 bits that only who has the token can make."""
    return HKDF(SHA256(), 32, None, b"valetkey: the successor of a refresh token").derive(
        predecessor.encode()
    )
