"""base64url without padding, each value in one spelling only (RFC 7515 2, RFC 4648 5)."""

import base64
import binascii
from contextlib import suppress

URL_SAFE = bytes.maketrans(b"+/", b"-_")


def encode(data: bytes) -> str:
    """The one spelling of these bytes."""
    return binascii.b2a_base64(data, newline=False).translate(URL_SAFE, b"=").decode()


def decode(text: str) -> bytes:
    """The bytes spelled. Raises ValueError for padding, foreign characters and bits that say nothing."""
    with suppress(ValueError):
        data = base64.b64decode(text + "==", b"-_")
        if encode(data) == text:
            return data
    raise ValueError("not base64url in its one spelling")
