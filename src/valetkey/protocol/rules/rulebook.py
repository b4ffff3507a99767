"""Rulebook: what an operator set that the rules must know. Made once at start."""

from dataclasses import dataclass

from valetkey.protocol.model import Catalogue
from valetkey.protocol.profile import Profile


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The profiles, the scope catalogue, the issuer (RFC 8414 2) and choices of the operator; times in seconds."""

    profiles: dict[str, Profile]
    default: Profile
    catalogue: Catalogue
    issuer: str
    remember_consent: bool = True
    implicit_lifetime: int = 3600
    refresh_lifetime: int = 30 * 24 * 3600
