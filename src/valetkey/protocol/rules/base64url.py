"""base64url without padding, each value in one spelling only (RFC 7515 2, RFC 4648 5)."""

import base64
from contextlib import suppress


def encode(data: bytes) -> str:
    """The one spelling of these bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes spelled. Raises ValueError for padding, foreign characters and bits that say nothing."""
    with suppress(ValueError):
        data = base64.b64decode(text + "==", b"-_")
        if encode(data) == text:
            return data
    raise ValueError("not base64url in its one spelling")
