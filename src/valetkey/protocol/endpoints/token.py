"""The token endpoint (RFC 6749 3.2): who asks, with which grant, and may they?"""

from msgspec import Struct

from valetkey.protocol.client_auth import METHODS
from valetkey.protocol.decision import Granted, Refused, TokenDecision
from valetkey.protocol.errors import InvalidClient, InvalidRequest, OAuthError, UnsupportedGrantType
from valetkey.protocol.grants import GRANTS
from valetkey.protocol.model import Client, ExchangeFacts
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import credentials
from valetkey.protocol.rules.credentials import Credentials
from valetkey.protocol.rules.digest import digest
from valetkey.protocol.rules.grant import Grant

REQUEST_NAMES = frozenset("client_id client_secret grant_type redirect_uri code code_verifier scope".split())


class TokenRequest(Struct, frozen=True):
    """A token request that says what must be looked up: the client named and the digest of what is redeemed."""

    params: Params
    shown: Credentials
    grant: Grant
    digest: bytes


def read(params: Params, query: Params, header: str | None, profile: Profile) -> TokenRequest:
    """The body, the query string and the Authorization header as one typed request. Raises OAuthError."""
    if any(name in params or name in REQUEST_NAMES for name, _ in query.items()):
        raise InvalidRequest("query_used", "parameters belong into the body, not into the query string")
    shown = credentials.read(params, header, profile)
    name = params.get("grant_type")
    if name is None:
        raise InvalidRequest("grant_type_missing", "grant_type is missing")
    grant = GRANTS.get(name)
    if grant is None:
        raise UnsupportedGrantType("grant_type_unknown", "this grant_type is not supported")
    redeemed = params.get(grant.redeems) or ""
    return TokenRequest(params, shown, grant, digest(redeemed))


def decide(request: TokenRequest, facts: ExchangeFacts, profile: Profile, now: int) -> TokenDecision:
    """Granted or Refused; `profile` is the one whose endpoint this is, and only its clients are known here."""
    try:
        client = authenticated(request.shown, facts.client, profile, now)
        granted: Granted = request.grant.decide(request.params, client, facts, profile, now)
        return granted
    except OAuthError as error:
        return Refused(error, profile)


def authenticated(shown: Credentials, client: Client | None, profile: Profile, now: int) -> Client:
    """The client, once it has proven who it is. Raises InvalidClient."""
    if client is None or client.disabled_at is not None:
        raise InvalidClient("client_unknown", "the client is unknown")
    if shown.method not in profile.client_auth:
        raise InvalidClient("method_unknown", "the client must authenticate in another way")
    METHODS[shown.method].check(client, shown, now)
    return client
