"""The authorization endpoint acts: look up, decide, mint what the answer needs, apply (RFC 6749 3.1)."""

from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.changes import Change, Changes, Save, Spend
from valetkey.protocol.decision import Answer, AskConsent, AskLogin, AuthorizeDecision, ErrorPage, Refuse
from valetkey.protocol.endpoints.authorize import decide as rules_decide
from valetkey.protocol.errors import InvalidRequest, OAuthError
from valetkey.protocol.facts import AuthorizeFacts
from valetkey.protocol.model import AccessToken, Authorization, AuthorizationCode, Ticket
from valetkey.protocol.params import SEVERAL, Params, parse
from valetkey.protocol.response_types import RESPONSE_TYPES
from valetkey.protocol.rules import response_mode
from valetkey.protocol.rules.consent import Said
from valetkey.protocol.rules.digest import digest
from valetkey.protocol.rules.redirect_uri import with_parameters
from valetkey.server import asked_at, pushed_request
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.metadata_document import introduce
from valetkey.server.settle import settle

TICKET_LIFETIME = 3600


class Redirect(Struct, frozen=True):
    """Yes: the browser goes to the client with what was minted."""

    location: str
    client_id: str
    changes: Changes


class ShowConsent(Struct, frozen=True):
    """The confirmation screen, with the ticket that its answer must bring back."""

    ask: AskConsent
    ticket: str
    changes: Changes


Outcome = ErrorPage | Refuse | AskLogin | ShowConsent | Redirect


async def authorize(
    server: AuthorizationServer, query: bytes, session_digest: bytes | None, network: str
) -> Outcome:
    """What becomes of an authorization request in this browser. Raises settle.Busy, store.base.Unavailable."""
    try:
        params = parse(query, several=SEVERAL)
    except OAuthError as error:
        return ErrorPage(error, server.book.default)
    stranger = await introduce(server, params, network)
    if stranger is not None:
        return stranger

    def decide(facts: AuthorizeFacts) -> Outcome:
        decision = rules_decide(params, facts, None, server.book, server.clock())
        return complete(server, decision, query, session_digest, ())

    return await settle(server.store, lambda _: look_up(server, params, session_digest), decide)


async def answer_consent(
    server: AuthorizationServer, ticket: str, said: Said | None, session_digest: bytes
) -> Outcome:
    """The person answered the confirmation screen; the request itself is the one the ticket holds (R12)."""
    if said is None:
        return ErrorPage(
            InvalidRequest("decision_missing", "the answer must be allow or deny"), server.book.default
        )
    kept = await server.store.ticket(digest(ticket))
    if kept is None or kept.session_digest != session_digest:
        return ErrorPage(
            InvalidRequest("ticket_unknown", "this confirmation is not known"), server.book.default
        )
    params = parse(kept.query, several=SEVERAL)

    async def facts_now(used: frozenset[bytes]) -> tuple[Ticket | None, AuthorizeFacts]:
        return await server.store.ticket(kept.digest), await look_up(server, params, session_digest)

    def decide(facts: tuple[Ticket | None, AuthorizeFacts]) -> Outcome:
        now, current = server.clock(), facts[0]
        if current is None or current.expires_at <= now:
            return ErrorPage(
                InvalidRequest("ticket_expired", "this confirmation has expired"), server.book.default
            )
        if current.spent_at is not None:
            return ErrorPage(
                InvalidRequest("ticket_spent", "this confirmation was answered before"), server.book.default
            )
        decision = rules_decide(params, facts[1], said, server.book, now)
        return complete(server, decision, kept.query, session_digest, (Spend(Ticket, kept.digest, now),))

    return await settle(server.store, facts_now, decide)


async def look_up(
    server: AuthorizationServer, params: Params, session_digest: bytes | None
) -> AuthorizeFacts:
    """One round trip for client, session, account and consent; one more for a request that was pushed."""
    facts = await server.store.authorize_facts(params.get("client_id") or "", session_digest)
    if asked_at.NAME in params:
        facts = replace(facts, asked_at=asked_at.said(server, params))
    facts = replace(facts, signs=pushed_request.signs(server, facts.client))
    return await pushed_request.found(server, params, facts)


def complete(
    server: AuthorizationServer,
    decision: AuthorizeDecision,
    query: bytes,
    session_digest: bytes | None,
    also: Changes,
) -> Outcome:
    """The decision with what must be minted for it: a ticket to ask with, or a code or token to answer with."""
    if isinstance(decision, Answer):
        return answer(server, decision, also)
    if isinstance(decision, AskConsent) and session_digest is not None:
        ticket = server.mint.text()
        kept = Ticket(digest(ticket), session_digest, query, server.clock() + TICKET_LIFETIME)
        return ShowConsent(decision, ticket, (*also, Save(kept)))
    if isinstance(decision, Refuse):
        location = signed(server, decision, decision.location)
        return replace(decision, location=location, changes=(*also, *decision.changes))
    if isinstance(decision, AskLogin | ErrorPage):
        return decision
    raise AssertionError(decision)


def answer(server: AuthorizationServer, decision: Answer, also: Changes) -> Redirect:
    """Mint the authorization and the code or token under it, and write the address they go to."""
    now, client = server.clock(), decision.client
    key = server.mint.authorization_id(now)
    root = Authorization(key, decision.account.id, client.id, decision.scope, now, terms=decision.terms)
    kind = RESPONSE_TYPES[decision.response_type]
    expires_at = None if decision.lifetime is None else now + decision.lifetime
    record: AuthorizationCode | AccessToken
    if kind.issues == "code":
        value = server.mint.code(decision.profile.token_form, now)
        assert expires_at is not None, "every profile gives its codes a lifetime"
        named = decision.redirect_uri if decision.named else ""
        record = AuthorizationCode(digest(value), root, named, expires_at, decision.challenge)
    else:
        value = server.mint.access_token(decision.profile.token_form, client.id, now)
        record = AccessToken(digest(value), root, now, expires_at)
    saves: tuple[Change, ...] = (Save(root), Save(record))
    location = signed(server, decision, kind.location(decision, value, server.book.issuer))
    return Redirect(location, client.id, (*also, *decision.changes, *saves))


def signed(server: AuthorizationServer, decision: Answer | Refuse, location: str) -> str:
    """Where the answer goes, as one JWT of ours if it must be signed (JARM 2.3.1). Raises store.base.Unavailable."""
    if not decision.signs:
        return location
    client, now = decision.client, server.clock()
    claims = response_mode.claims(decision.signs, location, client.id, server.book.issuer, now)
    wished = client.registered.authorization_signed_response_alg
    token = server.keys.sign("JWT", claims, (wished,) if wished else ())
    return with_parameters(decision.signs, f"response={token}")
