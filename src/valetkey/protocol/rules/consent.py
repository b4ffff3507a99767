"""Consent: must the person be asked? (RFC 6749 10.2, RFC 9700 4.15; classic.md 2)"""

from valetkey.protocol.model import Client, Consent
from valetkey.protocol.rules.scope import widened


def still_to_ask(
    client: Client, scope: tuple[str, ...], consent: Consent | None, remember: bool, in_front: bool
) -> tuple[str, ...] | None:
    """What the confirmation screen must name; None when it need not be shown.

    in_front: the token is given in the browser (implicit flow), where a remembered yes is never enough.
    """
    if consent is None or not remember or in_front or not client.confidential:
        return scope
    return widened(scope, consent.scope) or None


def merged(
    client_id: str, scope: tuple[str, ...], consent: Consent | None, account_id: int, now: int
) -> Consent:
    """The consent to remember after a yes: what was allowed before and what is new."""
    before = consent.scope if consent else ()
    return Consent(account_id, client_id, tuple(dict.fromkeys((*before, *scope))), now)
