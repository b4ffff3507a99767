"""Resource indicators: which servers is a token for? (RFC 8707 2; C14)"""

from valetkey.protocol.errors import InvalidTarget
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules.redirect_uri import WEB, loopback, plain_host
from valetkey.protocol.rules.rulebook import Rulebook

MOST = 8
LONGEST = 512


def read(params: Params, profile: Profile, book: Rulebook) -> tuple[str, ...]:
    """The servers named, for which access is asked; none is our own API. Raises InvalidTarget, InvalidRequest."""
    if profile.resources == "never":
        params.check_once()
        return ()
    named = params.all("resource")
    if not named and profile.resources == "must":
        raise InvalidTarget(
            "resource_missing", "resource is missing: which server is the token for (RFC 8707)"
        )
    if len(named) > MOST:
        raise InvalidTarget("resources_many", f"more than {MOST} resources")
    for each in named:
        check(each, book)
    return named


def narrowed(params: Params, allowed: tuple[str, ...], profile: Profile, book: Rulebook) -> tuple[str, ...]:
    """What a token is for that is asked for under an authorization for `allowed` (RFC 8707 2.2); () for all of that.

    Raises InvalidTarget.
    """
    if not params.all("resource") and allowed:
        return ()
    named = read(params, profile, book)
    if allowed and not set(named) <= set(allowed):
        raise InvalidTarget("resource_beyond", "a resource was not part of the authorization request")
    return () if named == allowed else named


def check(uri: str, book: Rulebook) -> None:
    """One of those that the operator named; where none is, an address on the web or this machine. Raises InvalidTarget.

    The spelling counts: what is named here stands in the token, and the server compares it (RFC 9068 4).
    """
    if uri == book.issuer:  # our own API
        return
    if book.resources:
        if uri not in book.resources:
            raise InvalidTarget("resource_unknown", "this server gives no tokens for that resource")
        return
    parts = WEB.fullmatch(uri) if len(uri) <= LONGEST else None
    if parts is None or not plain_host(parts[2]) or (parts[1] == "http" and not loopback(parts[2])):
        raise InvalidTarget("resource_malformed", "resource must be an https address without a fragment")
