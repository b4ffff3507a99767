"""What the server itself has noted of an app beside what is said of it, and keeps when that is said anew."""

from msgspec.structs import replace

from valetkey.protocol.model import Client, Registration

NOTES = ("registration_token", "fresh_until", "moved_at", "exchanged_after", "left_at")


def upon(was: Registration, said: Registration) -> Registration:
    """What its developer says now, with all that was noted."""
    return replace(said, **{name: getattr(was, name) for name in NOTES})


def of_itself(was: Client, redirect_uris: tuple[str, ...], now: int) -> dict[str, object]:
    """What stays noted of an app that describes itself: when it last named a redirect URI that it had not named before
    (not when it was new), and up to when what it got by exchange was taken back."""
    known = was.created_at == now or set(redirect_uris) <= set(was.redirect_uris)
    moved_at = was.registered.moved_at if known else now
    return {"moved_at": moved_at, "exchanged_after": was.registered.exchanged_after}
