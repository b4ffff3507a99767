"""Where a server learns what a token says: it asks valetkey (RFC 7662), or reads a JWT that it signed (RFC 9068 4)."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote_plus

from valetkey.protocol.rules import jwk, jwt, strict_json

Claims = Mapping[str, object]
Answer = tuple[int, bytes]
Http = Callable[..., Awaitable[Answer]]
PATIENCE = 5.0  # seconds
KEPT = 300  # seconds that keys are believed
AGAIN = 60  # seconds until keys are fetched anew for a token that none of them signed
TYPES = ("at+jwt",)


class Unreachable(Exception):
    """The authorization server does not answer as it should; whether the token is good nobody knows."""


class Source(Protocol):
    """What a token says, or None for one that is no good. Raises Unreachable."""

    async def claims(self, token: str) -> Claims | None: ...


async def over_http(
    url: str, form: Mapping[str, str] | None = None, user: tuple[str, str] | None = None
) -> Answer:
    """One request: GET, or POST a form with Basic. No redirect is followed. Raises Unreachable."""
    import httpx2

    said: dict[str, Any] = {"headers": {"accept": "application/json"}}
    if user is not None:
        said["auth"] = (quote_plus(user[0]), quote_plus(user[1]))  # RFC 6749 2.3.1
    try:
        async with httpx2.AsyncClient(timeout=PATIENCE, follow_redirects=False) as http:
            answer = await (
                http.get(url, **said) if form is None else http.post(url, data=dict(form), **said)
            )
    except httpx2.HTTPError as error:
        raise Unreachable(f"{url}: {error}") from error
    return answer.status_code, answer.content


class Introspection:
    """Asks about every token, so that what is taken back ends at once. The client is one that may ask (`service`)."""

    def __init__(self, endpoint: str, client_id: str, client_secret: str, http: Http = over_http) -> None:
        self.endpoint, self.user, self.http = endpoint, (client_id, client_secret), http

    async def claims(self, token: str) -> Claims | None:
        """What the token says, if it lives and is meant for us. Raises Unreachable."""
        form = {"token": token, "token_type_hint": "access_token"}
        status, body = await self.http(self.endpoint, form, self.user)
        if status != 200:
            raise Unreachable(f"{self.endpoint} answers {status}")
        try:
            told = strict_json.read_object(body)
        except ValueError as error:
            raise Unreachable(f"{self.endpoint}: {error}") from None
        return told if told.get("active") is True else None


class SignedTokens:
    """Reads JWTs by the keys that valetkey publishes. Quick, and what is taken back lives on until it expires."""

    def __init__(
        self, jwks_uri: str, issuer: str, http: Http = over_http, clock: Callable[[], float] = time.time
    ) -> None:
        self.jwks_uri, self.issuer, self.http, self.clock = jwks_uri, issuer, http, clock
        self.keys: tuple[jwk.Key, ...] = ()
        self.fetched = float("-inf")

    async def claims(self, token: str) -> Claims | None:
        """What the token says, if valetkey signed it and it has not ended. Raises Unreachable."""
        try:
            read = jwt.read(token)
            jwt.check_type(read, TYPES)
            key = jwt.signed_by(read, await self.current(read), jwt.SIGNED)
            del key  # whichever it was: all of them are the issuer's
            return self.checked(read.claims)
        except jwt.Untrusted:
            return None

    def checked(self, claims: Claims) -> Claims | None:
        """The claims, if they are the issuer's and their time is now (RFC 9068 4). Raises Untrusted."""
        now = int(self.clock())
        jwt.check_begun(claims, now)
        ends = jwt.time(claims, "exp")
        return claims if claims.get("iss") == self.issuer and ends is not None and ends > now else None

    async def current(self, token: jwt.Unverified) -> tuple[jwk.Key, ...]:
        """The keys; fetched anew when they are old, and now and then for a token that none of them fits."""
        age = self.clock() - self.fetched
        if age >= KEPT or (age >= AGAIN and not jwt.candidates(token, self.keys)):
            await self.fetch()
        return self.keys

    async def fetch(self) -> None:
        """Read what is published. Raises Unreachable, unless there are keys to go on with."""
        try:
            status, body = await self.http(self.jwks_uri)
            if status != 200:
                raise Unreachable(f"{self.jwks_uri} answers {status}")
            self.keys = jwk.read_set(body.decode())
        except (Unreachable, ValueError) as error:
            if not self.keys:
                raise Unreachable(str(error)) from error
        self.fetched = self.clock()
