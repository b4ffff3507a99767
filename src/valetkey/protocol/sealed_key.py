"""SealedKey: what the server signs with or derives from, as it is kept (RFC 7517). Times are seconds since 1970."""

from msgspec import Struct


class SealedKey(Struct, frozen=True):
    """A key pair that signs from `active_from` to `retires_at` and is shown (RFC 7517) from the start to `gone_at`, or
    the one secret that others are derived from. `follows` is the key before it: each has one successor at most."""

    id: str
    alg: str
    public: str
    sealed: bytes
    created_at: int
    active_from: int
    follows: str
    retires_at: int | None = None
    gone_at: int | None = None
    version: int = 1
