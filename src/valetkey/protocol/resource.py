"""Resource: a server that takes our tokens, as the operator names it (RFC 8707 2)."""

from msgspec import Struct


class Resource(Struct, frozen=True, forbid_unknown_fields=True):
    """The URI that tokens for it name as their audience, its plain name, the form its tokens have (opaque or jwt), and
    the client by which it asks about them (RFC 7662)."""

    uri: str
    name: str = ""
    token_format: str = "opaque"
    client: str = ""
