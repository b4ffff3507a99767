"""Claims: what an access token says of itself, in a JWT (RFC 9068 2.2) or when somebody asks (RFC 7662 2.2)."""

import msgspec

from valetkey.protocol.model import AccessToken

Claims = dict[str, object]


def of(token: AccessToken, issuer: str) -> Claims:
    """All but `jti`. What the token itself does not say, its authorization does.

    `sub` of a token that an app has for itself is its client_id: no account has such a name (RFC 9700 4.15).
    """
    root, terms = token.authorization, token.terms
    granted, holder = root.terms, terms.client or root.client_id
    found: Claims = {
        "iss": issuer,
        "sub": root.client_id if root.own else str(root.account_id),
        "aud": audience(token, issuer),
        "client_id": holder,
        "iat": token.created_at,
        "scope": " ".join(terms.scope or root.scope),
    }
    if token.expires_at is not None:
        found["exp"] = token.expires_at
    bound = {"jkt": terms.jkt, "x5t#S256": terms.x5t}
    if terms.jkt or terms.x5t:
        found["cnf"] = {name: value for name, value in bound.items() if value}
    if terms.actor:
        found["act"] = msgspec.json.decode(terms.actor)
    details = terms.details or (
        granted.details if not terms.client else ""
    )  # an exchange hands on no details
    if details:
        found["authorization_details"] = msgspec.json.decode(details)
    if auth_time := terms.auth_time or granted.auth_time:
        found["auth_time"] = auth_time
    if acr := terms.acr or granted.acr:
        found["acr"] = acr
    return found


def audience(token: AccessToken, issuer: str) -> str | list[str]:
    """Who the token is for: one by its name, several as a list (RFC 7519 4.1.3); our own API where nobody is named."""
    named = resources(token) or (issuer,)
    return named[0] if len(named) == 1 else list(named)


def resources(token: AccessToken) -> tuple[str, ...]:
    """The resource servers that the token was asked for (RFC 8707)."""
    return token.terms.resource or token.authorization.terms.resource
