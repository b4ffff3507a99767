"""May this caller in? A bearer token is looked at, and whoever may not is told why and what would do (RFC 6750 3.1)."""

import re

from msgspec import Struct

from valetkey.resource.metadata import Resource
from valetkey.resource.sources import Claims, Source, Unreachable

BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9\-._~+/]+=*)")


class Denied(Exception):
    """What to answer: `status`, `headers`, and `body` as JSON."""

    def __init__(self, status: int, headers: dict[str, str], body: dict[str, str]) -> None:
        super().__init__(body.get("error_description", "a token is needed"))
        self.status, self.headers, self.body = status, headers, body


class Token(Struct, frozen=True):
    """A token that was let in: whose it is, whose app holds it, what it may, and everything else it says."""

    subject: str
    client_id: str
    scopes: tuple[str, ...]
    claims: Claims


class Guard:
    """Stands before one resource."""

    def __init__(self, resource: Resource, source: Source) -> None:
        self.resource, self.source = resource, source

    async def admit(self, authorization: str | None, *scopes: str) -> Token:
        """The token of a caller who may do what needs these scopes. Raises Denied.

        authorization: the value of that header. A token is never taken from anywhere else (OAuth 2.1 5.1).
        """
        if not authorization:
            raise self.denied(401, scopes=scopes)  # nothing was shown, so nothing is wrong (RFC 6750 3.1)
        shown = BEARER.fullmatch(authorization)
        if shown is None:
            raise self.denied(401, "invalid_token", "this is no bearer token", scopes)
        try:
            claims = await self.source.claims(shown[1])
        except Unreachable:
            body = {
                "error": "temporarily_unavailable",
                "error_description": "tokens cannot be checked just now",
            }
            raise Denied(503, {"Retry-After": "5"}, body) from None
        token = self.token(claims)
        self.require(token, *scopes)
        return token

    def require(self, token: Token, *scopes: str) -> None:
        """That the token may do what needs these scopes; who lacks one is told which to ask for. Raises Denied."""
        missing = [scope for scope in scopes if scope not in token.scopes]
        if missing:
            wanted = tuple(dict.fromkeys((*token.scopes, *scopes)))  # with fewer, a new token would lose some
            raise self.denied(403, "insufficient_scope", f"this needs {' '.join(missing)}", wanted)

    def token(self, claims: Claims | None) -> Token:
        """The token, if it lives, is meant for this resource (RFC 8707 2) and bound to nobody's key. Raises Denied."""
        if claims is None:
            raise self.denied(401, "invalid_token", "the token is unknown, over or taken back")
        named = claims.get("aud")
        if self.resource.uri not in (named if isinstance(named, list) else [named]):
            raise self.denied(401, "invalid_token", "the token is not meant for this server")
        if "cnf" in claims:  # shown alone it could be stolen: that is what it is bound for (RFC 9449 7.1)
            raise self.denied(
                401, "invalid_token", "the token is bound to a key, and this server cannot check that"
            )
        scopes = tuple(str(claims.get("scope", "")).split())
        return Token(str(claims.get("sub", "")), str(claims.get("client_id", "")), scopes, claims)

    def denied(self, status: int, error: str = "", words: str = "", scopes: tuple[str, ...] = ()) -> Denied:
        """The answer to who may not, with the challenge that says how to do better."""
        body = {"error": error, "error_description": words} if error else {}
        return Denied(status, {"WWW-Authenticate": self.resource.challenge(error, words, scopes)}, body)
