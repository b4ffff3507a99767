"""TrustedIssuer: who may vouch for people here, as the operator names them (RFC 7523 2.1)."""

from msgspec import Struct


class TrustedIssuer(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose assertions about our accounts are believed (RFC 7523 3), and from which clients ("*": any).

    subject says what its `sub` names: a "username" or an "id"; first_party: the operator has consented for everybody;
    scope: the most that it can give, everything when empty.
    """

    issuer: str
    jwks: str = ""
    jwks_uri: str = ""
    clients: tuple[str, ...] = ()
    subject: str = "username"
    first_party: bool = False
    scope: tuple[str, ...] = ()
