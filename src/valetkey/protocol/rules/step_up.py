"""Step-up: does the login behind a token do for this call? For our own API, and for others to copy (RFC 9470 3)."""

from collections.abc import Collection

from valetkey.protocol.errors import InsufficientUserAuthentication
from valetkey.protocol.model import AccessToken


def check(token: AccessToken, acr: Collection[str], max_age: int, now: int) -> None:
    """acr: the levels that do, if it matters; max_age: seconds since the login, 0 if that does not matter. What a token
    does not say is not so. Raises InsufficientUserAuthentication."""
    own, root = token.terms, token.authorization.terms
    if acr and (own.acr or root.acr) not in acr:
        raise InsufficientUserAuthentication("acr_low", "this call needs another way of logging in")
    if max_age and now - (own.auth_time or root.auth_time) > max_age:
        raise InsufficientUserAuthentication("login_old", "this call needs a login that is not so long ago")


def challenge(acr: Collection[str], max_age: int) -> list[str]:
    """What a client must ask for to come again with the right token (RFC 9470 3)."""
    parts = [f'acr_values="{" ".join(acr)}"'] if acr else []
    return parts + ([f'max_age="{max_age}"'] if max_age else [])
