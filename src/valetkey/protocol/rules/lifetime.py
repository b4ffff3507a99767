"""When does an access token end? At its own time, or when its client's rules of today say (RFC 9700 4.10; C15)."""

from msgspec.structs import replace

from valetkey.protocol.facts import BearerFacts
from valetkey.protocol.model import AccessToken, Client
from valetkey.protocol.rules.rulebook import Rulebook


def held(facts: BearerFacts | None, book: Rulebook) -> BearerFacts | None:
    """The facts, with an end where the token has none, but its client lives by now under a profile that gives one."""
    if facts is None or facts.token.expires_at is not None:
        return facts
    lifetime, token = book.profiles[facts.client.profile].token_lifetime, facts.token
    return (
        facts
        if lifetime is None
        else replace(facts, token=replace(token, expires_at=token.created_at + lifetime))
    )


def still_held(token: AccessToken, holder: Client | None) -> bool:
    """Whether the app that got a token by exchange is still there, and none of what it had was taken back since."""
    if holder is None or holder.disabled_at is not None:
        return False
    return token.created_at > holder.registered.exchanged_after
