"""DetailType: a kind of authorization_details, as the operator describes it (RFC 9396 2)."""

from msgspec import Struct


class DetailType(Struct, frozen=True, forbid_unknown_fields=True):
    """Its name; plain words for the confirmation screen, in which {field} or {field.inner} stands for what was asked;
    the fields it may have beside those that all types have, and those that it must have."""

    type: str
    words: str = ""
    fields: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
