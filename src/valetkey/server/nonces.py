"""DPoP nonces without memory: all workers make the same one of the time and a secret they share (RFC 9449 8)."""

import hashlib
import hmac

from valetkey.protocol.rules import base64url
from valetkey.server.clock import Clock
from valetkey.server.keys import Keys

SLOT = (
    120  # seconds; one counts for its own slot and the next, and for the one before where a clock is behind
)


class Nonces:
    """Gives out nonces, if the operator wants them, and knows which count."""

    def __init__(self, keys: Keys, clock: Clock, required: bool) -> None:
        self.keys, self.clock, self.required = keys, clock, required

    def current(self) -> str:
        """The nonce to show; "" if none are wanted. Raises Unavailable."""
        return self.of(self.clock() // SLOT) if self.required else ""

    def good(self) -> tuple[str, ...]:
        """The nonces that count; none if none are wanted. Raises Unavailable."""
        if not self.required:
            return ()
        slot = self.clock() // SLOT
        return tuple(self.of(each) for each in (slot, slot - 1, slot + 1))

    def of(self, slot: int) -> str:
        """The nonce of a slot of time."""
        key = self.keys.derive(b"dpop-nonce")
        return base64url.encode(hmac.digest(key, slot.to_bytes(8), hashlib.sha256)[:18])
