"""Consent: must the person be asked, and what did they allow? (RFC 6749 3.3, 10.2, RFC 9700 4.15; classic.md 2)"""

from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.decision import NO_CHOICE, Choice
from valetkey.protocol.errors import AccessDenied
from valetkey.protocol.model import NOBODY, Catalogue, Client, Consent, Places
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules.redirect_uri import loops_back
from valetkey.protocol.rules.scope import widened

MOST_SERVERS = 64  # of one app that are remembered; whoever was not named for longest is asked about again


class Said(Struct, frozen=True):
    """What a person answered: yes or no, and what of the optional they left ticked."""

    allowed: bool
    ticked: frozenset[str] = frozenset()


NOTHING_NEW = Said(True)  # they were not asked, for they had answered before


def choice(
    client: Client, profile: Profile, scope: tuple[str, ...], consent: Consent | None, catalogue: Catalogue
) -> Choice:
    """What the app, or the operator for every app, says can be left out; a sensitive one waits to be ticked."""
    if not profile.partial_consent:
        return NO_CHOICE
    known = {name: catalogue[name] for name in scope if name in catalogue}
    may = client.registered.optional_scope
    optional = tuple(name for name, each in known.items() if name in may or each.optional)
    refused = consent.refused if consent else ()
    return Choice(optional, tuple(name for name in optional if known[name].sensitive or name in refused))


def standing(consent: Consent | None, client: Client, offered: Choice) -> Consent | None:
    """The consent as it counts now: what was left out before is only left out while it may be. None of it does once an
    app that describes itself sends people elsewhere: nobody has said yes to that (H8)."""
    if consent is None or consent.granted_at <= client.registered.moved_at:
        return None
    return replace(consent, refused=tuple(name for name in consent.refused if name in offered.optional))


def still_to_ask(
    client: Client, scope: tuple[str, ...], consent: Consent | None, remember: bool, always: bool
) -> tuple[str, ...] | None:
    """What the confirmation screen must name; None when it need not be shown.

    always: a remembered yes is never enough (see `asks_always`). What was left out is not asked for again, unless
    nothing else is asked for.
    """
    if consent is None or not remember or always or not client.confidential:
        return scope
    new = widened(scope, (*consent.scope, *consent.refused))
    if not new and scope and not widened(scope, consent.refused):
        return scope
    return new or None


def asks_always(client: Client, redirect_uri: str, in_front: bool) -> bool:
    """Whether a remembered yes says nothing: where the token is given in the browser (implicit flow), and where an app
    that nobody vouches for is a program on this computer, which could be any (RFC 8252 8.6)."""
    return in_front or (client.owner_id == NOBODY and loops_back(redirect_uri))


def further(scope: tuple[str, ...], resource: tuple[str, ...], consent: Consent | None) -> bool:
    """Whether an app names a server where it was not allowed all of this: what it was allowed elsewhere is new there.

    What the person leaves out is not asked for again there either.
    """
    if consent is None:
        return True
    allowed = dict(consent.resource)
    return any(uri not in allowed or widened(scope, (*allowed[uri], *consent.refused)) for uri in resource)


def granted(
    scope: tuple[str, ...], asked: tuple[str, ...], said: Said, consent: Consent | None, offered: Choice
) -> tuple[str, ...]:
    """What of the scope was allowed: what cannot be left out, what was ticked, and what was allowed before. Raises
    AccessDenied when that is nothing. asked: what the confirmation screen named."""
    before = consent.scope if consent else ()
    left = (
        name
        for name in scope
        if name not in offered.optional or name in (said.ticked if name in asked else before)
    )
    found = tuple(left)
    if scope and not found:
        raise AccessDenied("nothing_allowed", "the person allowed nothing of what was asked for")
    return found


def merged(said: Consent, before: Consent | None) -> Consent:
    """The consent to remember after a yes: what was said before, unless it was answered otherwise now."""
    if before is None:
        return said
    return replace(
        said,
        scope=tuple(dict.fromkeys((*widened(before.scope, said.refused), *said.scope))),
        refused=tuple(dict.fromkeys((*widened(before.refused, said.scope), *said.refused))),
        resource=places(said, before),
    )


def places(said: Consent, before: Consent) -> Places:
    """The servers that are remembered, those named now last: what is allowed at one is allowed at no other."""
    had = {uri: widened(scope, said.refused) for uri, scope in before.resource}
    now = {uri: tuple(dict.fromkeys((*had.pop(uri, ()), *scope))) for uri, scope in said.resource}
    return tuple((had | now).items())[-MOST_SERVERS:]
