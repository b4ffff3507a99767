"""Grant: the record that a grant_type is (RFC 6749 1.3). The token endpoint does what all of them share."""

from collections.abc import Callable
from dataclasses import dataclass

from valetkey.protocol.decision import Granted
from valetkey.protocol.model import Client, ExchangeFacts
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile


@dataclass(frozen=True, slots=True)
class Grant:
    """`redeems` names the parameter whose digest is looked up; `decide` raises OAuthError to refuse."""

    name: str
    redeems: str
    decide: Callable[[Params, Client, ExchangeFacts, Profile, int], Granted]
