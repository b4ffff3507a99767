"""The token endpoint (RFC 6749 3.2): who asks, with which grant, and may they?"""

from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.changes import Changes
from valetkey.protocol.client_auth import authenticate
from valetkey.protocol.decision import Granted, Refused, Repeated, TokenDecision
from valetkey.protocol.errors import (
    InvalidRequest,
    OAuthError,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.grants import GRANTS
from valetkey.protocol.model import TERMS
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import credentials, details, residence, resource, sender
from valetkey.protocol.rules.credentials import Credentials
from valetkey.protocol.rules.digest import digest
from valetkey.protocol.rules.grant import Grant, Proven
from valetkey.protocol.rules.headers import Headers
from valetkey.protocol.rules.rulebook import Rulebook
from valetkey.protocol.rules.token_format import is_jwt


class TokenRequest(Struct, frozen=True):
    """A token request that says what must be looked up: the client named and the digest of what is redeemed.

    `profile` is the one whose endpoint this is; an endpoint knows the clients of all profiles that have its address.
    """

    params: Params
    headers: Headers
    shown: Credentials
    grant: Grant
    digest: bytes
    profile: Profile


def read(params: Params, query: Params, headers: Headers, profile: Profile) -> TokenRequest:
    """The body, the query string and the headers as one typed request. Raises OAuthError."""
    credentials.check_place(params, query)
    shown = credentials.read(params, headers, profile)
    name = params.get("grant_type")
    if name is None:
        raise InvalidRequest("grant_type_missing", "grant_type is missing")
    grant = GRANTS.get(name)
    if grant is None or name not in profile.grants:
        raise UnsupportedGrantType("grant_type_unknown", "this grant_type is not supported")
    redeemed = digest(params.get(grant.redeems) or "") if grant.redeems else b""
    return TokenRequest(params, headers, shown, grant, redeemed, profile)


def decide(request: TokenRequest, facts: ExchangeFacts, book: Rulebook, now: int) -> TokenDecision:
    """Granted, Repeated or Refused, under the rules of the client's own profile if it lives at this endpoint."""
    known, profile = residence.at(request.profile, facts.client, book)
    written: Changes = ()
    try:
        client, written = authenticate(known, request.shown, facts.known, book, now)
        if request.grant.name not in profile.grants or request.grant.name not in client.grant_types:
            raise UnauthorizedClient("grant_type_forbidden", "this client may not use this grant_type")
        asked = Proven(request.params, client, profile, facts, book, now)
        bound, proof = sender.prove(asked, request.headers, profile.token_path)
        written += proof
        if bound is not TERMS:
            asked = replace(asked, sender=bound)
        granted = narrowed(asked, request.grant.decide(asked))
    except OAuthError as error:
        error.changes = (*written, *error.changes)
        return Refused(error, profile)
    if granted.beside is not None and granted.terms == granted.beside.terms:
        return Repeated(granted.beside, profile, written)
    if is_jwt(granted, client, book):
        granted = replace(granted, jwt=True)
    return replace(granted, changes=(*written, *granted.changes)) if written else granted


def narrowed(asked: Proven, granted: Granted) -> Granted:
    """A token for a part of what was allowed (RFC 8707 2.2, RFC 9396 6); an exchange has said that itself."""
    params, client, profile, book = asked.params, asked.client, asked.profile, asked.book
    names = "resource" in params or "authorization_details" in params
    if granted.terms.client or not (names or profile.resources == "must"):
        return granted
    root = granted.authorization
    named = resource.narrowed(params, root, profile, book)
    part = details.narrowed(params, root, client, profile, book)
    if not named and not part:
        return granted
    return replace(granted, terms=replace(granted.terms, resource=named, details=part))
