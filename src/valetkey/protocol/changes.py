"""What a decision asks the store to do. A list of changes is applied whole or not at all."""

from msgspec import Struct

from valetkey.protocol.model import (
    AccessToken,
    Account,
    Authorization,
    AuthorizationCode,
    Client,
    Consent,
    DeviceRequest,
    Notice,
    Picture,
    PushedRequest,
    RefreshToken,
    SealedSuccessor,
    Session,
    Ticket,
)
from valetkey.protocol.registration_token import RegistrationToken
from valetkey.protocol.sealed_key import SealedKey

Record = (
    Account
    | Client
    | Session
    | Consent
    | Ticket
    | Authorization
    | AuthorizationCode
    | AccessToken
    | RefreshToken
    | SealedSuccessor
    | PushedRequest
    | DeviceRequest
    | Notice
    | RegistrationToken
    | Picture
    | SealedKey
)
OneTime = AuthorizationCode | Ticket | RefreshToken | PushedRequest | DeviceRequest


class Save(Struct, frozen=True):
    """Write a record.

    An Account, a Client or a SealedKey says by its `version` which one it follows: version 1 must be new, version n
    must find n-1. A Consent replaces the one before it; a Picture may be there already, and so may a Notice, which
    stays as it is; everything else must be new. Otherwise Conflict.
    """

    record: Record


class Spend(Struct, frozen=True):
    """Use a one-time thing once: Conflict if it is gone or was spent before (RFC 6749 4.1.2), and for a ticket also
    if its session has ended. Whoever ends that later finds what this list wrote."""

    kind: type[OneTime]
    digest: bytes
    at: int


class Revoke(Struct, frozen=True):
    """End one authorization and so every code and token under it. Ending it twice is no conflict."""

    authorization_id: int
    at: int


class Extend(Struct, frozen=True):
    """A refresh token that stays when it is used was used: its end moves on, never back."""

    digest: bytes
    expires_at: int


class Expire(Struct, frozen=True):
    """End one access token, if it has not ended by then. What else came from its authorization goes on."""

    digest: bytes
    at: int


class Withdraw(Struct, frozen=True):
    """The owner takes back all they allowed: to one client (its consent too), or to every client when none is named."""

    account_id: int
    client_id: str | None
    at: int


class Hold(Struct, frozen=True):
    """A remembered consent must still be there: Conflict if it was taken back. Whoever takes it back later finds what
    this list wrote under it."""

    account_id: int
    client_id: str


class Stands(Struct, frozen=True):
    """An account must be as it was read, at this version: Conflict if it was changed. Whoever changes it later finds
    what this list wrote."""

    account_id: int
    version: int


class Still(Struct, frozen=True):
    """No client was changed since the store was at this edition, nor what one is granted for itself; otherwise
    Conflict. Who decides on what was read before has that checked when it writes."""

    edition: int


class Seen(Struct, frozen=True):
    """A session was used: move its `last_seen_at`, and its end with it."""

    session_digest: bytes
    at: int
    expires_at: int


class End(Struct, frozen=True):
    """End one session of an account."""

    account_id: int
    session_digest: bytes


class EndAll(Struct, frozen=True):
    """End every session of an account but, if given, the one kept."""

    account_id: int
    keep: bytes | None = None


class Remove(Struct, frozen=True):
    """Delete a client with its consents, authorizations, codes and tokens."""

    client_id: str


class Poll(Struct, frozen=True):
    """A device asks whether its person has answered (RFC 8628 3.5): Conflict if it asked since `before`, or is gone.

    One that asks too soon waits `slower` seconds longer from now on, whoever asks beside it.
    """

    digest: bytes
    at: int
    before: int | None
    slower: int = 0


class AnswerDevice(Struct, frozen=True):
    """The person answered a device, "allow" or "deny": Conflict if they did so before, or if it is gone."""

    digest: bytes
    said: str
    authorization: Authorization | None = None


class Draw(Struct, frozen=True):
    """Use a registration token one time more: Conflict if it is gone, over, or used up."""

    digest: bytes
    at: int


class Discard(Struct, frozen=True):
    """Take a registration token back."""

    digest: bytes


class Once(Struct, frozen=True):
    """Remember a key until a time: Conflict if it is remembered already (replay of a jti, RFC 7519 4.1.7)."""

    key: bytes
    until: int


Change = (
    Save
    | Spend
    | Revoke
    | Extend
    | Expire
    | Withdraw
    | Hold
    | Stands
    | Still
    | Seen
    | End
    | EndAll
    | Remove
    | Poll
    | AnswerDevice
    | Draw
    | Discard
    | Once
)
Changes = tuple[Change, ...]
