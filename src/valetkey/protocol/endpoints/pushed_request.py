"""Pushed authorization requests (RFC 9126 2): who pushes, and is what they push in order?"""

from msgspec import Struct

from valetkey.protocol.changes import Changes
from valetkey.protocol.client_auth import authenticate
from valetkey.protocol.decision import PushDecision, Pushed, Refused
from valetkey.protocol.endpoints.authorize import Trusted, read_request, trusted_redirect
from valetkey.protocol.errors import InvalidDpopProof, InvalidRequest, OAuthError
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import credentials, pushed_request, request_object, residence, sender
from valetkey.protocol.rules.credentials import Credentials
from valetkey.protocol.rules.grant import Proven
from valetkey.protocol.rules.headers import Headers
from valetkey.protocol.rules.jwt import Unverified
from valetkey.protocol.rules.rulebook import Rulebook

PATH = "/oauth/par"


class PushRequest(Struct, frozen=True):
    """A request that is pushed; what must be looked up is its client, and the key of its request object."""

    params: Params
    headers: Headers
    shown: Credentials
    profile: Profile
    signed: Unverified | None = None


def read(params: Params, query: Params, headers: Headers, profile: Profile) -> PushRequest:
    """The body, the query string and the headers as one typed request. Raises OAuthError."""
    if any(query.items()):
        raise InvalidRequest("query_used", "parameters belong into the body, not into the query string")
    if params.get("request_uri") is not None:
        raise InvalidRequest("request_uri_pushed", "request_uri cannot be pushed (RFC 9126 2.1)")
    shown = credentials.read(params, headers, profile)
    return PushRequest(params, headers, shown, profile, request_object.read(params))


def decide(request: PushRequest, facts: ExchangeFacts, book: Rulebook, now: int) -> PushDecision:
    """Pushed or Refused. What needs no person is settled here, so that the browser carries nothing that fails."""
    known, profile = residence.at(request.profile, facts.client, book)
    written: Changes = ()
    try:
        client, written = authenticate(known, request.shown, facts.known, book, now)
        params = request_object.resolve(request.params, client, facts.known.keys, book, now)
        key, proof = bound_key(Proven(params, client, profile, facts, book, now), request.headers)
        written += proof
        redirect_uri = trusted_redirect(params, client, profile)
        read_request(Trusted(params, client, profile, redirect_uri, book, facts.signs))
    except OAuthError as error:
        error.changes = (*written, *error.changes)
        return Refused(error, profile)
    return Pushed(client, pushed_request.query(params, client, key), pushed_request.LIFETIME, written)


def bound_key(asked: Proven, headers: Headers) -> tuple[str, Changes]:
    """The key that a proof beside it binds the code to, as dpop_jkt does (RFC 9449 10.1). Raises OAuthError."""
    if headers.dpop is None:
        return "", ()
    bound, proof = sender.prove(asked, headers, PATH)
    if bound.jkt and asked.params.get("dpop_jkt") not in (None, bound.jkt):
        raise InvalidDpopProof("dpop_jkt_differs", "dpop_jkt is not the key of the DPoP proof", changes=proof)
    return bound.jkt, proof
