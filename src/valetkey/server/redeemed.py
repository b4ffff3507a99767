"""What a token request hands in, looked up: a code, a refresh token, tokens to exchange, somebody's word."""

from collections.abc import Awaitable

from valetkey.protocol.endpoints.token import TokenRequest
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.grants import jwt_bearer
from valetkey.protocol.model import Account
from valetkey.protocol.rules.digest import digest
from valetkey.protocol.trusted_issuer import TrustedIssuer
from valetkey.server import names
from valetkey.server.authorization_server import AuthorizationServer

LARGEST_ID = 2**63


def look_up(server: AuthorizationServer, request: TokenRequest) -> Awaitable[ExchangeFacts]:
    """The client and what it hands in; what comes often, in one round trip. Raises store.base.Unavailable."""
    client_id = request.shown.client_id
    match request.grant.redeems:
        case "code":
            return server.store.exchange_facts(client_id, request.digest)
        case "refresh_token":
            return server.store.refresh_facts(client_id, request.digest)
        case "device_code":
            return server.store.device_facts(client_id, request.digest)
        case "subject_token":
            return exchange(server, request)
        case "assertion":
            return vouched(server, request)
        case _:
            return server.store.own_facts(client_id)


def at_hand(server: AuthorizationServer, request: TokenRequest) -> ExchangeFacts | None:
    """The same as it was before, of an app that asks for itself again; one with a proof that is used once waits for a
    look-up."""
    once = request.shown.assertion is not None or request.headers.dpop is not None
    return None if request.grant.redeems or once else server.store.own_at_hand(request.shown.client_id)


async def exchange(server: AuthorizationServer, request: TokenRequest) -> ExchangeFacts:
    """The tokens of a token exchange (RFC 8693 2.1)."""
    client = await server.store.client(request.shown.client_id)
    subject = await server.store.bearer_facts(request.digest)
    actor = await server.store.bearer_facts(digest(request.params.get("actor_token") or ""))
    return ExchangeFacts(client, subject=subject, actor=actor)


async def vouched(server: AuthorizationServer, request: TokenRequest) -> ExchangeFacts:
    """Whom an assertion speaks of, what they allowed, and the keys of who says so (RFC 7523 3).

    Keys are fetched only for an issuer that is trusted for this client.
    """
    client = await server.store.client(request.shown.client_id)
    try:
        token = jwt_bearer.read(request.params)
    except OAuthError:  # the rules say so again
        return ExchangeFacts(client)
    issuer = jwt_bearer.issuer_of(token, server.book)
    if client is None or issuer is None or not jwt_bearer.trusted_for(issuer, client):
        return ExchangeFacts(client)
    account = await subject_of(server, issuer, token.claims.get("sub"))
    consent = await server.store.consent(account.id, client.id) if account is not None else None
    keys = await server.issuer_keys.found(issuer.jwks, issuer.jwks_uri, token)
    return ExchangeFacts(client, account=account, consent=consent, issuer_keys=keys)


async def subject_of(server: AuthorizationServer, issuer: TrustedIssuer, sub: object) -> Account | None:
    """The account that an issuer means by `sub`."""
    if not isinstance(sub, str):
        return None
    if issuer.subject == "username":
        return await server.store.account_named(names.canonical(sub))
    if not (sub.isascii() and sub.isdigit()) or len(sub) > 19 or int(sub) >= LARGEST_ID:
        return None
    return await server.store.account(int(sub))
