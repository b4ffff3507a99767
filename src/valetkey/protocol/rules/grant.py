"""Grant: the record that a grant_type is (RFC 6749 1.3). The token endpoint does what all of them share."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from valetkey.protocol.decision import Granted
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


def renewable(client: Client, profile: Profile, book: Rulebook) -> int | None:
    """Seconds that a refresh token lives which is given beside an access token (RFC 6749 1.5); None: none is given."""
    able = "refresh_token" in profile.grants and "refresh_token" in client.grant_types
    return book.refresh_lifetime if able else None
