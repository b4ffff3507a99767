"""Rulebook: what an operator set that the rules must know. Made once at start."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from valetkey.protocol.detail_type import DetailType
from valetkey.protocol.model import Catalogue
from valetkey.protocol.profile import Profile
from valetkey.protocol.resource import Resource
from valetkey.protocol.trusted_issuer import TrustedIssuer


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The profiles, the scope catalogue, the issuer (RFC 8414 2), the resource servers by their URI (RFC 8707),
    whether clients register themselves or are known by a document, and choices of the operator; times in seconds.

    by_certificate: the methods of RFC 8705 for which certificates reach the server; certificate_url: the base of the
    addresses at which clients are asked for one, if that is not the issuer.
    """

    profiles: dict[str, Profile]
    default: Profile
    catalogue: Catalogue
    issuer: str
    remember_consent: bool = True
    implicit_lifetime: int = 3600
    refresh_lifetime: int = 30 * 24 * 3600
    refresh_absolute: int = 180 * 24 * 3600
    retry_window: int = 120
    acr: tuple[str, ...] = ()
    details: Mapping[str, DetailType] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    trusted_issuers: tuple[TrustedIssuer, ...] = ()
    registers: bool = False
    metadata_documents: bool = False
    by_certificate: frozenset[str] = frozenset()
    certificate_url: str = ""
