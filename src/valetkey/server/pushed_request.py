"""Pushed authorization requests act: look up, decide, mint a request_uri, apply (RFC 9126 2)."""

from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.changes import Changes, Save
from valetkey.protocol.decision import Pushed, Refused
from valetkey.protocol.endpoints import pushed_request as rules
from valetkey.protocol.endpoints.pushed_request import PushRequest
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.facts import AuthorizeFacts, ExchangeFacts
from valetkey.protocol.model import Client, PushedRequest
from valetkey.protocol.params import SEVERAL, Params, parse
from valetkey.protocol.rules import request_object
from valetkey.protocol.rules.digest import digest
from valetkey.protocol.rules.jwt import Unverified
from valetkey.protocol.rules.pushed_request import LONGEST, URN
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.form_endpoint import reads
from valetkey.server.settle import settle
from valetkey.server.token import Reply


class Accepted(Struct, frozen=True):
    """A pushed request with its request_uri minted."""

    request_uri: str
    lifetime: int
    changes: Changes


@reads(rules.read)
async def push(server: AuthorizationServer, request: PushRequest) -> Reply | Refused:
    """Answer a request that is pushed. Raises settle.Busy, store.base.Unavailable."""
    client_id = request.shown.client_id

    async def facts(used: frozenset[bytes]) -> ExchangeFacts:
        client = await server.store.client(client_id)
        known = await server.client_keys.known(client, request.shown, used, request.signed)
        return ExchangeFacts(client, known=known, signs=signs(server, client))

    def decide(found: ExchangeFacts) -> Accepted | Refused:
        return accept(server, rules.decide(request, found, server.book, server.clock()))

    done = await settle(server.store, facts, decide)
    if isinstance(done, Refused):
        return done
    return Reply(201, {"request_uri": done.request_uri, "expires_in": done.lifetime}, client_id=client_id)


def accept(server: AuthorizationServer, decision: Pushed | Refused) -> Accepted | Refused:
    """Mint the request_uri of a request that is in order, and ask for it to be kept."""
    if isinstance(decision, Refused):
        return decision
    request_uri = URN + server.mint.text()
    ends = server.clock() + decision.lifetime
    kept = PushedRequest(digest(request_uri), decision.client.id, decision.query, ends)
    return Accepted(request_uri, decision.lifetime, (*decision.changes, Save(kept)))


async def found(server: AuthorizationServer, params: Params, facts: AuthorizeFacts) -> AuthorizeFacts:
    """The facts with what an authorization request refers to: what was pushed before, or the key that signed it."""
    request_uri, client = params.get("request_uri") or "", facts.client
    if request_uri.startswith(URN):
        return replace(facts, pushed=await server.store.pushed_request(digest(request_uri)))
    signed = unverified(params)
    if client is None or signed is None or not server.book.profiles[client.profile].assertions.algorithms:
        return facts
    return replace(facts, keys=await server.client_keys.text(client, signed))


def signs(server: AuthorizationServer, client: Client | None) -> bool:
    """Whether answers can be signed as the client wants them (JARM 3)."""
    wished = "" if client is None else client.registered.authorization_signed_response_alg
    return server.keys.can_sign_with(wished)


def unverified(params: Params) -> Unverified | None:
    """The request object, if there is one that can be read; what is wrong with another the rules say."""
    try:
        return request_object.read(params)
    except OAuthError:
        return None


async def going_to(server: AuthorizationServer, query: bytes) -> tuple[Client | None, str]:
    """The client of an authorization request and the redirect_uri it asks for, pushed or signed or neither; for the
    pages before it, which trust none of this."""
    try:
        params = parse(query, several=SEVERAL)
        client = await server.store.client(params.get("client_id") or "")
        facts = await found(server, params, AuthorizeFacts())
        asked = parse(facts.pushed.query, longest=LONGEST, several=SEVERAL) if facts.pushed else params
    except OAuthError:
        return None, ""
    signed = unverified(asked)
    within = str(signed.claims.get("redirect_uri", "")) if signed else ""
    return client, asked.get("redirect_uri") or within
