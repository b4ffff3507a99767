"""Request objects: an authorization request that its client has signed (RFC 9101; FAPI 2.0 Message Signing 5.3.1)."""

import json
from collections.abc import Iterator, Mapping

from valetkey.protocol.errors import InvalidRequest, InvalidRequestObject
from valetkey.protocol.model import Client
from valetkey.protocol.params import SEVERAL, Params
from valetkey.protocol.profile import Assertions
from valetkey.protocol.rules import jwk, jwt
from valetkey.protocol.rules.jwt import Untrusted, Unverified
from valetkey.protocol.rules.rulebook import Rulebook

TYPES = frozenset({"", "jwt", "oauth-authz-req+jwt"})
LIFETIME = 3600  # seconds from nbf to exp at most (FAPI 2.0 Message Signing 5.3.1)
AT_LOGIN = 600  # seconds beyond exp: after login and questions the browser brings the same request again
ABOUT_ITSELF = frozenset("iss aud exp nbf iat jti sub".split())
NESTED = ("request", "request_uri")


def read(params: Params) -> Unverified | None:
    """The request object of a request, if it has one, so that its key can be looked up. Raises InvalidRequestObject."""
    text = params.get("request")
    if text is None:
        return None
    try:
        return jwt.read(text)
    except Untrusted as no:
        raise refused(no) from None


def resolve(params: Params, client: Client, keys: str, book: Rulebook, now: int) -> Params:
    """The parameters that count: those within the request object and no others, or all if there is none (RFC 9101 5).

    keys: the JWKS of the client. Raises InvalidRequest, InvalidRequestObject.
    """
    rule = book.profiles[client.profile].assertions
    if not rule.algorithms:  # to the origin, `request` is a word like any other
        return params
    token = read(params)
    if token is None:
        if client.registered.require_signed_request_object:
            raise InvalidRequest("request_missing", "this client must sign its requests (RFC 9101)")
        return params
    try:
        check(token, client, book, now)
        jwt.signed_by(token, jwk.read_set(keys), allowed(client, rule))
        inner = Params(list(parameters(token.claims)), longest=jwt.LONGEST, several=SEVERAL)
    except Untrusted as no:
        raise refused(no) from None
    except jwk.BadKey:
        raise InvalidRequestObject(
            "keys_unreadable", "the registered keys of this client cannot be read"
        ) from None
    if {params.get("client_id"), inner.get("client_id")} - {None, client.id}:
        raise InvalidRequestObject(
            "request_client_id", "client_id differs from the one in the request object"
        )
    return inner


def allowed(client: Client, rule: Assertions) -> frozenset[str]:
    """The algorithms it may be signed with: what the client registered, of those its profile knows."""
    registered = client.registered.request_object_signing_alg
    return rule.algorithms & {registered} if registered else rule.algorithms


def check(token: Unverified, client: Client, book: Rulebook, now: int) -> None:
    """What it says of itself (RFC 9101 4 and 10.8). Raises Untrusted."""
    jwt.check_type(token, TYPES)
    claims = token.claims
    if jwt.string(claims, "iss") != client.id:
        raise Untrusted("iss", "must have the client_id as its iss")
    if book.issuer not in jwt.audience(claims):
        raise Untrusted("aud", "must have the issuer of this server as its aud")
    if claims.get("sub") == client.id:
        raise Untrusted("sub", "must not have the client_id as its sub: it would pass for a client assertion")
    if any(name in claims for name in NESTED):
        raise Untrusted("nested", "must not have request or request_uri in it")
    check_dates(claims, book.profiles[client.profile].assertions.dated, now)


def check_dates(claims: Mapping[str, object], dated: bool, now: int) -> None:
    """When it is good: as long as it says, and where it must say so, for an hour at most. Raises Untrusted.

    Where it need not, it may have come through the browser and not been pushed, and clients make it last a minute only.
    """
    begins, ends = jwt.time(claims, "nbf"), jwt.time(claims, "exp")
    jwt.check_begun(claims, now)
    if ends is not None and ends + (0 if dated else AT_LOGIN) <= now:
        raise Untrusted("expired", "has expired")
    if not dated:
        return
    if begins is None or ends is None:
        raise Untrusted("undated", "must have nbf and exp")
    if ends > begins + LIFETIME:  # and so what has not expired did not begin longer ago
        raise Untrusted("exp_far", f"must be good for {LIFETIME} seconds at most")


def parameters(claims: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The claims as parameters; what is no string is written as JSON (RFC 9101 4, RFC 9396 4)."""
    for name, value in claims.items():
        if name in ABOUT_ITSELF or value is None:
            continue
        for each in value if name in SEVERAL and isinstance(value, list) else (value,):
            yield name, each if isinstance(each, str) else json.dumps(each, separators=(",", ":"))


def refused(no: Untrusted) -> InvalidRequestObject:
    """The refusal of a request object that is not believed."""
    return InvalidRequestObject(f"request_{no.reason}", f"the request object {no.words}")
