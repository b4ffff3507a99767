"""Store: what the server asks of a database. An engine is one file that passes tests/store/contract.py."""

from collections.abc import Sequence
from typing import Protocol

from valetkey.protocol.changes import Changes
from valetkey.protocol.facts import AuthorizeFacts, BearerFacts, ConnectedApp, ExchangeFacts
from valetkey.protocol.model import (
    Account,
    Client,
    Consent,
    DeviceRequest,
    Notice,
    PushedRequest,
    Session,
    Ticket,
)
from valetkey.protocol.registration_token import RegistrationToken
from valetkey.protocol.sealed_key import SealedKey


class Conflict(Exception):
    """Somebody was faster: a Spend found nothing to spend, a Save found its key taken or another version.

    Nothing of the list was written. The caller looks up again and decides again.
    """


class Unavailable(Exception):
    """The database cannot be asked just now (gone, read-only, disk full); nothing of the list was acknowledged."""


class Store(Protocol):
    """Look-ups see every write acknowledged before they began, and are one round trip each where what is asked for is
    there and its client and account are kept."""

    async def open(self) -> None:
        """Connect and bring the schema up to date under a lock. Raises Unavailable."""

    async def close(self) -> None:
        """Finish the writes handed in, then disconnect."""

    async def ready(self) -> bool:
        """Whether the database answers, and takes writes as far as is known."""

    # What the endpoints must know.
    async def authorize_facts(self, client_id: str, session_digest: bytes | None) -> AuthorizeFacts: ...
    async def exchange_facts(self, client_id: str, code_digest: bytes) -> ExchangeFacts: ...
    async def own_facts(self, client_id: str) -> ExchangeFacts:
        """The client, and what it is granted for itself (RFC 6749 4.4)."""

    def own_at_hand(self, client_id: str) -> ExchangeFacts | None:
        """The same as this process has read it before, if it has; the facts say of which edition they are, and who
        writes on them has that checked (changes.Still)."""

    async def refresh_facts(self, client_id: str, digest: bytes) -> ExchangeFacts: ...
    async def device_facts(self, client_id: str, digest: bytes) -> ExchangeFacts: ...
    async def bearer_facts(self, token_digest: bytes) -> BearerFacts | None: ...
    async def introspect_facts(self, client_id: str, token_digest: bytes) -> ExchangeFacts: ...
    async def consent(self, account_id: int, client_id: str) -> Consent | None: ...
    async def ticket(self, digest: bytes) -> Ticket | None: ...
    async def remembered(self, keys: Sequence[bytes]) -> frozenset[bytes]:
        """Which of these one-time keys were used before (changes.Once)."""

    async def pushed_request(self, digest: bytes) -> PushedRequest | None: ...
    async def device_request_shown(self, user_code: str) -> DeviceRequest | None: ...

    # Single records and listings, for pages, console and command line.
    async def client(self, client_id: str) -> Client | None: ...
    async def account(self, account_id: int) -> Account | None: ...
    async def account_named(self, canonical: str) -> Account | None: ...
    async def signed_in(self, session_digest: bytes) -> tuple[Session, Account] | None: ...
    async def sessions_of(self, account_id: int) -> list[Session]: ...
    async def connected_apps(self, account_id: int) -> list[ConnectedApp]: ...
    async def notices(self, client_id: str, limit: int) -> list[Notice]:
        """What people of this client and its developer are told, the latest first."""

    async def clients_of(self, owner_id: int) -> list[Client]: ...
    async def clients(self, after: str, limit: int) -> list[Client]:
        """Every client in the order of ids, those behind `after`."""

    async def self_made(self) -> tuple[int, int]:
        """How many clients are nobody's: those that registered themselves, and those that a document describes."""

    async def registration_token(self, digest: bytes) -> RegistrationToken | None: ...
    async def registration_tokens(self) -> list[RegistrationToken]: ...
    async def accounts(self, after: int, limit: int) -> list[Account]: ...
    async def keys(self) -> list[SealedKey]: ...
    async def picture(self, name: str) -> bytes | None: ...

    async def apply(self, changes: Changes) -> None:
        """Write all of the changes or none; return when they are on disk. Raises Conflict, Unavailable."""

    # Counters that all workers share.
    async def attempt(self, keys: Sequence[str], now: int, window: int) -> list[int]:
        """Add one to each counter in one atomic step and return the new counts; a counter starts anew when its
        window of `window` seconds, which began at its first attempt, is over."""

    async def forget_attempts(self, keys: Sequence[str]) -> None:
        """Set the counters back to nothing (a login succeeded)."""

    async def add_usage(
        self, calls: dict[tuple[str, int], int], used: dict[int, int]
    ) -> dict[tuple[str, int], int]:
        """Add API calls counted in this process to the shared counts and return these.

        `calls`: (key, hours since 1970) -> calls since the last time; `used`: authorization id -> its last use.
        """

    # Housekeeping.
    async def lease(self, name: str, holder: str, now: int, seconds: int) -> bool:
        """Take or keep the named lease: true for one holder at a time, until `now + seconds`."""

    async def clean(self, now: int, limit: int) -> int:
        """Delete up to `limit` rows that no rule can need any more, in one go, and return how many went.

        Expired sessions, tickets, tokens, sealed successors, registration tokens, once-keys and counters; codes, pushed
        requests and device requests an hour after their expiry; notices after 90 days; what a revoked authorization
        had; authorizations of accounts that have neither code nor token left; pictures that no account shows; keys that
        are shown no more; clients that have lapsed and that nobody allows anything, unless they are disabled.
        """

    async def empty(self, client_id: str, limit: int) -> int:
        """Delete up to `limit` rows of what a client was allowed, in one go, and return how many went; 0 when `Remove`
        will not take long with the rest. For a client that is shut out, or there might be more again."""

    async def shrink(self, limit: int) -> int:
        """Give up to `limit` unused pages back to the disk and return how many; 0 when few are unused."""
