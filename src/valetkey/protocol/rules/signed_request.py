"""Signed requests: `sig` = hex HMAC-SHA256 with the client secret (the origin's rule; classic.md 4).

Only digests of secrets are kept, yet an HMAC needs its key. So we keep what HMAC makes of the key first: the two
SHA-256 states after the padded key (RFC 2104 4 suggests it). They verify signatures and do not give the secret away.
"""

import hashlib
import hmac
import struct
from math import isqrt

from valetkey.protocol.errors import AccessDenied
from valetkey.protocol.model import Client
from valetkey.protocol.params import Params

BLOCK = 64
MASK = 0xFFFFFFFF


def primes(count: int) -> list[int]:
    """The first primes, of which SHA-256 makes its constants (FIPS 180-4 4.2.2)."""
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % p for p in found):
            found.append(number)
        number += 1
    return found


def cube_root_fraction(number: int) -> int:
    """The first 32 bits of the fraction of a cube root, in whole numbers."""
    low, high = 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**3 <= number << 96 else (low, middle)
    return low & MASK


START = tuple(isqrt(p << 64) & MASK for p in primes(8))
ROUNDS = tuple(cube_root_fraction(p) for p in primes(64))


def turned(word: int, by: int) -> int:
    """A 32-bit word rotated right."""
    return (word >> by | word << (32 - by)) & MASK


def absorb(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    """SHA-256's step for one block of 64 bytes (FIPS 180-4 6.2.2)."""
    w = list(struct.unpack(">16I", block))
    for i in range(16, 64):
        s0 = turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^ w[i - 15] >> 3
        s1 = turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^ w[i - 2] >> 10
        w.append((w[i - 16] + s0 + w[i - 7] + s1) & MASK)
    a, b, c, d, e, f, g, h = state
    for constant, word in zip(ROUNDS, w, strict=True):
        t1 = h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + (e & f ^ ~e & g) + constant + word
        t2 = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (t1 + t2) & MASK, a, b, c, (d + t1) & MASK, e, f, g
    return tuple(x + y & MASK for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True))


def finish(state: tuple[int, ...], message: bytes) -> bytes:
    """The digest of one block already absorbed and this message behind it."""
    padded = (
        message + b"\x80" + bytes((-len(message) - 9) % BLOCK) + struct.pack(">Q", (BLOCK + len(message)) * 8)
    )
    for i in range(0, len(padded), BLOCK):
        state = absorb(state, padded[i : i + BLOCK])
    return struct.pack(">8I", *state)


def signing_key(secret: str) -> bytes:
    """What is kept of a client secret to check signatures with: 64 bytes."""
    key = secret.encode()
    key = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    inner, outer = (absorb(START, bytes(b ^ pad for b in key)) for pad in (0x36, 0x5C))
    return struct.pack(">16I", *inner, *outer)


def mac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 of a message under the secret whose `signing_key` this is (RFC 2104 2)."""
    words = struct.unpack(">16I", key)
    return finish(words[8:], finish(words[:8], message))


def check(client: Client, path: str, params: Params, now: int) -> None:
    """Refuse a call of an app that enforces signed requests and has no good signature. Raises AccessDenied.

    path: the endpoint without the version and without .json, such as /users/self.
    Whichever of its spellings was signed is accepted.
    """
    given = params.get("sig")
    if given is None:
        raise AccessDenied("sig_missing", "Invalid signed-request: Missing required parameter 'sig'")
    pairs = sorted((name, value) for name, value in params.items() if name != "sig")
    tail = "".join(f"|{name}={value}" for name, value in pairs)
    good = False
    for kept in client.secrets:
        if kept.expires_at is None or kept.expires_at > now:
            for spelling in (path, path + ".json", path + "/"):
                expected = mac(kept.signing_key, (spelling + tail).encode()).hex()
                good |= hmac.compare_digest(expected.encode(), given.lower().encode())
    if not good:
        raise AccessDenied("sig_wrong", "Invalid signed-request: Signature does not match")
