"""What the floors above must know of failures: of a form, field by field; of a thing; of the database."""

from valetkey.store.base import Conflict, Unavailable

__all__ = ["Conflict", "MasterKeyError", "NotFound", "Problems", "Unavailable"]


class Problems(Exception):
    """`fields`: name of the field -> plain words that go on after the field's label ("is too short")."""

    def __init__(self, **fields: str) -> None:
        super().__init__("; ".join(f"{name} {words}" for name, words in fields.items()))
        self.fields = fields


class NotFound(Exception):
    """There is no such thing, or it is somebody else's: the same answer for both (D9)."""


class MasterKeyError(Exception):
    """There is no master key, or it is not the right one; the message says what to do."""
