"""jwt-bearer: somebody whom the operator trusts vouches for a person (RFC 7521 4.1, RFC 7523 2.1).

What the person allowed still counts: unless the operator says that the issuer speaks for the platform itself, the
client gets no more than the person has consented to.
"""

from valetkey.protocol.changes import Changes, Hold, Once
from valetkey.protocol.decision import Granted
from valetkey.protocol.errors import AccessDenied, InvalidGrant, InvalidRequest, InvalidScope
from valetkey.protocol.model import Account, Authorization, Client, Terms
from valetkey.protocol.params import Params
from valetkey.protocol.rules import jwk, jwt, resource
from valetkey.protocol.rules import scope as scopes
from valetkey.protocol.rules.consent import further
from valetkey.protocol.rules.grant import Grant, Proven
from valetkey.protocol.rules.jwt import Untrusted, Unverified
from valetkey.protocol.rules.owner import check_sandbox
from valetkey.protocol.rules.rulebook import Rulebook
from valetkey.protocol.trusted_issuer import TrustedIssuer

LIFETIME = 3600  # the most that an assertion may live
TYPES = frozenset({"", "jwt"})  # an at+jwt of the issuer, for our API say, vouches for nobody (RFC 8725 3.11)
ANY = "*"


def read(params: Params) -> Unverified:
    """The assertion of a request. Raises InvalidRequest, InvalidGrant."""
    text = params.get("assertion")
    if text is None:
        raise InvalidRequest("assertion_missing", "assertion is missing")
    try:
        return jwt.read(text)
    except Untrusted as no:
        raise refused(no) from None


def issuer_of(token: Unverified, book: Rulebook) -> TrustedIssuer | None:
    """Who an assertion says it is from, if that is one of those trusted."""
    named = token.claims.get("iss")
    return next((each for each in book.trusted_issuers if each.issuer == named), None)


def trusted_for(issuer: TrustedIssuer, client: Client) -> bool:
    """Whether the operator lets this client hand in what the issuer says."""
    return ANY in issuer.clients or client.id in issuer.clients


def decide(asked: Proven) -> Granted:
    """The assertion is believed before anybody looks for its person; the order of the lines is that of the checks."""
    client, now = asked.client, asked.now
    token = read(asked.params)
    issuer = issuer_of(token, asked.book)
    if issuer is None or not trusted_for(issuer, client):
        raise InvalidGrant("issuer_untrusted", "the issuer of the assertion is not trusted for this client")
    try:
        once = verify(token, issuer, asked)
    except Untrusted as no:
        raise refused(no) from None
    if once.key in asked.facts.known.used:
        raise InvalidGrant("assertion_replayed", "the assertion was used before")
    account = asked.facts.account
    if account is None or account.disabled_at is not None:
        raise InvalidGrant("assertion_nobody", "the assertion names nobody here", changes=(once,))
    try:
        check_sandbox(client, account)
    except AccessDenied as no:
        raise InvalidGrant(no.reason, no.description, changes=(once,)) from None
    named = resource.read(asked.params, asked.profile, asked.book)
    scope, held = allowed(asked, issuer, account, named)
    root = Authorization(0, account.id, client.id, scope, now, terms=Terms(resource=named))
    lifetime = asked.profile.token_lifetime
    return Granted(root, account, asked.profile, lifetime, (once, *held), asked.sender, new=True)


def verify(token: Unverified, issuer: TrustedIssuer, asked: Proven) -> Once:
    """That the issuer signed it for us, lately. Raises Untrusted."""
    jwt.check_type(token, TYPES)
    keys = asked.facts.issuer_keys
    jwt.signed_by(token, jwk.read_set(keys) if keys else (), jwt.SIGNED)
    ours = {asked.book.issuer, asked.book.issuer + asked.profile.token_path}
    if ours.isdisjoint(jwt.audience(token.claims)):
        raise Untrusted("aud", "has an aud that is not this server")
    until = jwt.check_times(token.claims, asked.now, LIFETIME)
    jti = jwt.string(token.claims, "jti")
    if jti is None:
        raise Untrusted("jti", "has no jti")
    return jwt.once("jwt_bearer", issuer.issuer, jti, until)


def allowed(
    asked: Proven, issuer: TrustedIssuer, account: Account, named: tuple[str, ...]
) -> tuple[tuple[str, ...], Changes]:
    """The scope, and what must still be true when it is written. Raises InvalidScope, InvalidGrant."""
    client, consent = asked.client, asked.facts.consent
    scope = scopes.read(asked.params.get("scope"), asked.profile.always_scope, asked.book.catalogue)
    scopes.check_registered(scope, client)
    if issuer.scope and scopes.widened(scope, issuer.scope):
        raise InvalidScope("scope_wider", "the issuer of the assertion cannot give this scope")
    if issuer.first_party:
        return scope, ()
    if consent is None or scopes.widened(scope, consent.scope):
        raise InvalidGrant("consent_missing", "the person has not allowed this client that scope")
    if further(scope, resource.others(named, asked.book), consent):
        raise InvalidGrant("consent_elsewhere", "the person has not allowed this client that resource")
    return scope, (Hold(account.id, client.id),)


def refused(no: Untrusted) -> InvalidGrant:
    """The refusal of an assertion that is not believed (RFC 7523 3.1)."""
    return InvalidGrant(f"assertion_{no.reason}", f"assertion {no.words}")


JWT_BEARER = Grant(name="urn:ietf:params:oauth:grant-type:jwt-bearer", redeems="assertion", decide=decide)
