"""base64url without padding, each value in one spelling only (RFC 7515 2, RFC 4648 5)."""

import base64


def encode(data: bytes) -> str:
    """The one spelling of these bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes spelled. Raises ValueError for padding, foreign characters and bits that say nothing."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except ValueError:
        data = b""
    if encode(data) != text:
        raise ValueError("not base64url in its one spelling")
    return data
