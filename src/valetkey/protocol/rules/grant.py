"""Grant: the record that a grant_type is (RFC 6749 1.3). The token endpoint does what all of them share."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from valetkey.protocol.decision import Granted, Renewal
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.model import TERMS, Client, Terms
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules.rulebook import Rulebook


class Proven(Struct, frozen=True):
    """A token request whose client has proven who it is; `sender` holds the key or certificate it is bound to."""

    params: Params
    client: Client
    profile: Profile
    facts: ExchangeFacts
    book: Rulebook
    now: int
    sender: Terms = TERMS


@dataclass(frozen=True, slots=True)
class Grant:
    """`redeems` names the parameter whose digest is looked up, if any; `decide` raises OAuthError to refuse."""

    name: str
    redeems: str
    decide: Callable[[Proven], Granted]


def renewable(asked: Proven) -> Renewal | None:
    """The first refresh token of an authorization (RFC 6749 1.5); None: none is given.

    That of a client without a secret is bound to the key it shows now; others prove themselves at every use (RFC 9449
    5, RFC 8705 4).
    """
    if not may_renew(asked.client, asked.profile):
        return None
    bound = TERMS if asked.client.confidential else asked.sender
    return Renewal(asked.book.refresh_lifetime, bound)


def may_renew(client: Client, profile: Profile) -> bool:
    """Whether the client is given refresh tokens."""
    return "refresh_token" in profile.grants and "refresh_token" in client.grant_types


def shown_lifetime(client: Client, profile: Profile) -> int | None:
    """Seconds of access as people are told; None: until they end it, as with a token that can be renewed."""
    return None if may_renew(client, profile) else profile.token_lifetime
