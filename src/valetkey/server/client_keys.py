"""The public keys of clients: registered, or published at their jwks_uri and looked up there (RFC 7517, RFC 7591 2)."""

from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

from valetkey.protocol.facts import NOTHING_KNOWN, Known
from valetkey.protocol.model import NOBODY, Client
from valetkey.protocol.rules import jwk, jwt
from valetkey.protocol.rules.credentials import Credentials
from valetkey.protocol.rules.jwt import Unverified
from valetkey.server.clock import Clock
from valetkey.server.fetch import Fetch, FetchFailed

KINDS = ("application/jwk-set+json", "application/json")
AGAIN = 60  # seconds until keys that lack the one wanted are fetched anew
LAST_GOOD = 4 * 3600  # seconds that keys are used for which cannot be fetched anew
MOST_SETS = 256


class Published(Struct, frozen=True):
    """A JWKS that could be read, and when it was fetched."""

    text: str
    at: int


class PublishedKeys:
    """Key sets at the addresses that somebody named."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self.fetch, self.clock = fetch, clock
        self.good: OrderedDict[str, Published] = OrderedDict()

    async def found(self, jwks: str, jwks_uri: str, *tokens: Unverified | None) -> str:
        """The JWKS that somebody registered, or publishes."""
        if jwks or not jwks_uri:
            return jwks
        text = await self.published(jwks_uri)
        keys = jwk.read_set(text) if text else ()
        if text and not all(jwt.candidates(token, keys) for token in tokens if token is not None):
            text = await self.published(jwks_uri, AGAIN)
        return text

    async def published(self, uri: str, age: int | None = None) -> str:
        """The JWKS at this place; the last good one while none is to be had, for a while; then nothing."""
        try:
            page = await self.fetch(uri, KINDS, age)
            text = page.body.decode()
            jwk.read_set(text)
        except (FetchFailed, ValueError):  # BadKey and what is not UTF-8 are ValueErrors
            found = self.good.get(uri)
            return found.text if found is not None and self.clock() < found.at + LAST_GOOD else ""
        self.good[uri] = Published(text, page.at)
        self.good.move_to_end(uri)
        if len(self.good) > MOST_SETS:
            self.good.popitem(last=False)
        return text


class ClientKeys:
    """Finds what proofs of a client are held against. Keys that cannot be had are none, and prove nothing."""

    def __init__(
        self, fetch: Fetch, fetch_stranger: Fetch, clock: Clock, nonces: Callable[[], tuple[str, ...]] = tuple
    ) -> None:
        self.vouched, self.strange = PublishedKeys(fetch, clock), PublishedKeys(fetch_stranger, clock)
        self.nonces = nonces

    async def known(
        self,
        client: Client | None,
        shown: Credentials,
        used: frozenset[bytes],
        request: Unverified | None = None,
    ) -> Known:
        """What the proofs of a request are held against; no keys are fetched for one that needs none."""
        by_key = proves_by_key(client, shown)
        if client is None or not (by_key or request is not None):
            return self.without_keys(used)
        keys = await self.text(client, shown.assertion if by_key else None, request)
        return Known(keys, used, self.nonces())

    def at_hand(self, client: Client | None, shown: Credentials, used: frozenset[bytes]) -> Known | None:
        """The same at once, unless it takes keys."""
        return None if proves_by_key(client, shown) else self.without_keys(used)

    def without_keys(self, used: frozenset[bytes]) -> Known:
        """What else there is to know."""
        nonces = self.nonces()
        return Known("", used, nonces) if used or nonces else NOTHING_KNOWN

    async def text(self, client: Client, *tokens: Unverified | None) -> str:
        """The client's JWKS, and if it is published and lacks a key of these tokens, then what is published by now."""
        keys = self.strange if client.owner_id == NOBODY else self.vouched
        return await keys.found(client.registered.jwks, client.registered.jwks_uri, *tokens)


def proves_by_key(client: Client | None, shown: Credentials) -> bool:
    """Whether a client authenticates by a key that it has, and we look up."""
    if client is None:
        return False
    method = client.registered.token_endpoint_auth_method
    return shown.method == "private_key_jwt" or method == "self_signed_tls_client_auth"
