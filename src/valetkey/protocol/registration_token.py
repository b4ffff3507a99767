"""What an operator hands out so that clients can be registered with it (RFC 7591 1.2)."""

from msgspec import Struct


class RegistrationToken(Struct, frozen=True):
    """An initial access token (RFC 7591 1.2): lets whoever shows it register so many clients more."""

    digest: bytes
    hint: str
    created_at: int
    expires_at: int
    uses: int
