"""The only place that makes token strings, ids and secrets, and digests of them (R8)."""

import time
from collections.abc import Callable

from msgspec import Struct

from valetkey.protocol.model import ClientSecret
from valetkey.protocol.rules import base64url, signed_request, user_code
from valetkey.protocol.rules.checksum import checksummed
from valetkey.protocol.rules.claims import Claims
from valetkey.protocol.rules.digest import digest

START_OF_2026 = 1_767_225_600
SECOND = 1_000_000_000  # nanoseconds
Entropy = Callable[[int], bytes]


class Mint(Struct, frozen=True):
    """Makes every secret out of the randomness it is handed: entropy(n) gives n random bytes.

    What is made in one second is put in order by `instant`, in nanoseconds; only its place in the second counts.
    """

    entropy: Entropy
    instant: Callable[[], int] = time.time_ns

    def code(self, form: str, now: int) -> str:
        """An authorization code: 32 hex characters (128 bits; classic.md 2), or today's form."""
        return self.entropy(16).hex() if form == "classic" else self.prefixed("vk_ac_", now)

    def access_token(self, form: str, client_id: str, now: int) -> str:
        """An access token: seven characters of the client_id, a dot, 32 hex characters (128 bits), or today's form."""
        if form == "classic":
            return f"{client_id[:7]}.{self.entropy(16).hex()}"
        return self.prefixed("vk_at_", now)

    def jwt(self, sign: Callable[[str, Claims], str], claims: Claims) -> str:
        """An access token that says itself what it may, with a name of its own (RFC 9068 2)."""
        return sign("at+jwt", {**claims, "jti": self.text()[:22]})

    def refresh_token(self, now: int) -> str:
        """A refresh token, in today's form."""
        return self.prefixed("vk_rt_", now)

    def device_code(self, now: int) -> str:
        """What a device asks with (RFC 8628 3.2), in today's form."""
        return self.prefixed("vk_dc_", now)

    def user_code(self) -> str:
        """What a person copies from a device: 8 of 20 letters, 34 bits for ten minutes (RFC 8628 6.1)."""
        rest, code = int.from_bytes(self.entropy(16), "big"), ""
        for _ in range(user_code.LENGTH):
            rest, letter = divmod(rest, len(user_code.LETTERS))
            code += user_code.LETTERS[letter]
        return code

    def registration_token(self, prefix: str) -> str:
        """A token to register with, vk_ia_ (RFC 7591 1.2), or to change a registration with, vk_ra_ (RFC 7592 3)."""
        return checksummed(prefix + self.text())

    def prefixed(self, prefix: str, now: int) -> str:
        """Today's form: a prefix that scanners find, a selector that grows with time, 256 bits, a checksum.

        Selector: seconds since 2026 in 30 bits, 18 of the second (protocol/rules/digest.py says what it is for).
        """
        selector = seconds(now) << 18 | self.of_second(18)
        return checksummed(f"{prefix}{selector:012x}{self.text()}")

    def text(self) -> str:
        """256 bits as 43 characters of base64url: session ids, tickets."""
        return base64url.encode(self.entropy(32))

    def client_id(self) -> str:
        """32 hex characters with at least one letter (a client library takes all digits for another dialect)."""
        while True:
            name = self.entropy(16).hex()
            if not name[:7].isdigit():
                return name

    def client_secret(self) -> str:
        """A client secret: prefix, 256 bits, checksum."""
        return checksummed("vk_cs_" + self.text())

    def master_key(self) -> str:
        """A master key (server/master.py): prefix, 256 bits, checksum."""
        return checksummed("vk_mk_" + self.text())

    def account_id(self) -> int:
        """A decimal id below 2**40, so that every language reads it as a whole number."""
        return 1_000_000 + int.from_bytes(self.entropy(5), "big") % (2**40 - 1_000_000)

    def authorization_id(self, now: int) -> int:
        """An id that grows with time, so rows append: 30 bits of seconds since 2026, 16 of the second, 17 of chance."""
        return seconds(now) << 33 | self.of_second(16) << 17 | int.from_bytes(self.entropy(3), "big") >> 7

    def of_second(self, bits: int) -> int:
        """How much of the running second is over, in so many bits."""
        return (self.instant() % SECOND << bits) // SECOND

    def reference(self) -> str:
        """A short name of one request, for its log lines and for people to quote."""
        return self.entropy(5).hex()


def seconds(now: int) -> int:
    """Seconds since 2026 as 30 bits, which last until 2060."""
    return (now - START_OF_2026) % 2**30


def kept(secret: str, now: int) -> ClientSecret:
    """What is kept of a client secret."""
    return ClientSecret(digest(secret), signed_request.signing_key(secret), secret[-4:], now)
