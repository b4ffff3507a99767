"""Client assertions: what a JWT must say by which a client proves who it is (RFC 7521 4.2, RFC 7523 3)."""

from valetkey.protocol.changes import Once
from valetkey.protocol.errors import InvalidClient, InvalidRequest
from valetkey.protocol.facts import Known
from valetkey.protocol.model import Client
from valetkey.protocol.params import Params
from valetkey.protocol.rules import jwt
from valetkey.protocol.rules.jwt import Untrusted, Unverified
from valetkey.protocol.rules.rulebook import Rulebook

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TYPES = frozenset({"", "jwt", "client-authentication+jwt"})
PUSHED = "/oauth/par"  # RFC 9126 2 wants this address to be borne as an audience, too


def read(params: Params) -> Unverified | None:
    """The assertion of a request, if there is one. Raises InvalidRequest, InvalidClient."""
    text, kind = params.get("client_assertion"), params.get("client_assertion_type")
    if text is None and kind is None:
        return None
    if text is None or kind != JWT_BEARER:
        raise InvalidRequest(
            "assertion_type", f"client_assertion needs a client_assertion_type, which must be {JWT_BEARER}"
        )
    try:
        return jwt.read(text)
    except Untrusted as no:
        raise refused(no) from None


def names(token: Unverified) -> tuple[str, str]:
    """The client that an assertion speaks of, and the method its algorithm belongs to. Raises InvalidClient."""
    try:
        issuer, subject = jwt.string(token.claims, "iss"), jwt.string(token.claims, "sub")
    except Untrusted as no:
        raise refused(no) from None
    if issuer is None or issuer != subject:
        raise InvalidClient("assertion_sub", "client_assertion must have the client_id as iss and as sub")
    return issuer, "client_secret_jwt" if token.algorithm.startswith("HS") else "private_key_jwt"


def check(token: Unverified, client: Client, book: Rulebook, now: int) -> Once:
    """What it says; the signature is the method's business. The answer must be written. Raises Untrusted."""
    profile = book.profiles[client.profile]
    wanted = client.registered.token_endpoint_auth_signing_alg
    if wanted not in ("", token.algorithm):
        raise Untrusted("alg", f"is not signed with {wanted}, as this client registered")
    jwt.check_type(token, TYPES)
    accepted = {book.issuer}
    if profile.assertions.issuer_only:
        if token.claims.get("aud") != book.issuer:
            raise Untrusted("aud", "must have the issuer as its aud, as one string")
    else:
        accepted |= {book.issuer + profile.token_path, book.issuer + PUSHED}
    if not accepted.issuperset(jwt.audience(token.claims)):
        raise Untrusted("aud", "has an aud that is not only this server")
    until = jwt.check_times(token.claims, now, profile.assertions.lifetime)
    jti = jwt.string(token.claims, "jti")
    if jti is None:
        raise Untrusted("jti", "has no jti")
    return jwt.once("client_assertion", client.id, jti, until)


def check_unused(once: Once, known: Known) -> None:
    """A jti proves something once (RFC 7523 3). Raises Untrusted."""
    if once.key in known.used:
        raise Untrusted("replayed", "was used before")


def refused(no: Untrusted) -> InvalidClient:
    """The refusal of a client whose assertion is not believed."""
    return InvalidClient(f"assertion_{no.reason}", f"client_assertion {no.words}")
