"""Resource indicators: which servers is a token for? (RFC 8707 2; C14)"""

import re

from valetkey.protocol.errors import InvalidTarget
from valetkey.protocol.model import Authorization
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules.redirect_uri import WEB, loopback, plain_host
from valetkey.protocol.rules.rulebook import Rulebook

HOST = re.compile(r"https?://[^/?#]+/?")
MOST = 8
LONGEST = 512


def read(params: Params, profile: Profile, book: Rulebook) -> tuple[str, ...]:
    """The servers named, for which access is asked; none is our own API. Raises InvalidTarget, InvalidRequest."""
    if profile.resources == "never":
        params.check_once()
        return ()
    named = tuple(dict.fromkeys(spelled(each, book) for each in params.all("resource")))
    if not named and profile.resources == "must":
        raise InvalidTarget(
            "resource_missing", "resource is missing: which server is the token for (RFC 8707)"
        )
    if len(named) > MOST:
        raise InvalidTarget("resources_many", f"more than {MOST} resources")
    for each in named:
        check(each, book)
    return named


def spelled(uri: str, book: Rulebook) -> str:
    """As the operator writes it: a host alone is the same with a slash behind it (RFC 3986 6.2.3), which clients add
    that parse what they are told."""
    other = uri.removesuffix("/") if uri.endswith("/") else uri + "/"
    meant = uri not in book.resources and (other in book.resources or other == book.issuer)
    return other if meant and HOST.fullmatch(uri) else uri


def others(named: tuple[str, ...], book: Rulebook) -> tuple[str, ...]:
    """Those of them that people are asked about: not our own API, where they are."""
    return tuple(uri for uri in named if uri != book.issuer)


def narrowed(params: Params, root: Authorization, profile: Profile, book: Rulebook) -> tuple[str, ...]:
    """What a token is for of all that its authorization is for (RFC 8707 2.2); () for all of it.

    A person who was asked about no server has allowed our own API, and none by its name; what an app asks for itself,
    nobody has been shown. Raises InvalidTarget.
    """
    allowed = root.terms.resource
    if not params.all("resource") and allowed:
        return ()
    named = read(params, profile, book)
    shown = allowed or (book.issuer,)
    if (allowed or not root.own) and not set(named) <= set(shown):
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
