"""Consent: must the person be asked? (RFC 6749 10.2, RFC 9700 4.15; classic.md 2)"""

from valetkey.protocol.model import NOBODY, Client, Consent
from valetkey.protocol.rules.redirect_uri import loops_back
from valetkey.protocol.rules.scope import widened


def still_to_ask(
    client: Client, scope: tuple[str, ...], consent: Consent | None, remember: bool, always: bool
) -> tuple[str, ...] | None:
    """What the confirmation screen must name; None when it need not be shown.

    always: a remembered yes is never enough (see `asks_always`).
    """
    if consent is None or not remember or always or not client.confidential:
        return scope
    return widened(scope, consent.scope) or None


def asks_always(client: Client, redirect_uri: str, in_front: bool) -> bool:
    """Whether a remembered yes says nothing: where the token is given in the browser (implicit flow), and where an app
    that nobody vouches for is a program on this computer, which could be any (RFC 8252 8.6)."""
    return in_front or (client.owner_id == NOBODY and loops_back(redirect_uri))


def merged(
    client_id: str, scope: tuple[str, ...], consent: Consent | None, account_id: int, now: int
) -> Consent:
    """The consent to remember after a yes: what was allowed before and what is new."""
    before = consent.scope if consent else ()
    return Consent(account_id, client_id, tuple(dict.fromkeys((*before, *scope))), now)
