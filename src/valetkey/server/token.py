"""The token endpoint acts: look up, decide, mint, apply (RFC 6749 3.2)."""

from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.changes import Changes, Save, Still
from valetkey.protocol.decision import Granted, Refused, Repeated
from valetkey.protocol.endpoints import token as rules
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.facts import NOTHING_KNOWN, ExchangeFacts
from valetkey.protocol.model import AccessToken, Authorization, RefreshToken, SealedSuccessor
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile, TokenAnswer
from valetkey.protocol.rules import claims
from valetkey.protocol.rules.digest import digest
from valetkey.protocol.rules.headers import Headers
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.pictures import person
from valetkey.server.redeemed import at_hand, look_up
from valetkey.server.seal import Told, opened, sealed
from valetkey.server.settle import settle
from valetkey.store.base import Conflict
from valetkey.store.gathering import turn


class Issued(Struct, frozen=True):
    """A granted request with its tokens minted."""

    profile: Profile
    answer: TokenAnswer
    changes: Changes


class Reply(Struct, frozen=True):
    """Status and JSON body, or a JWT in its place; `reason` is for the operator's log, empty when all is well."""

    status: int
    body: dict[str, object]
    reason: str = ""
    client_id: str = ""
    jwt: str = ""
    content_type: str = ""


async def token(
    server: AuthorizationServer, profile: Profile, params: Params, query: Params, headers: Headers
) -> Reply:
    """Answer a token request made at this profile's endpoint. Raises settle.Busy, store.base.Unavailable."""
    try:
        request = rules.read(params, query, headers, profile)
    except OAuthError as error:
        return refused(error, profile, params.get("client_id") or "")

    redeemed = params.get(request.grant.redeems) or ""
    before = at_hand(server, request)

    def decide(facts: ExchangeFacts) -> Issued | Refused:
        decision = rules.decide(request, facts, server.book, server.clock())
        if not isinstance(decision, Refused):
            return issue(server, decision, redeemed, facts.edition)
        if facts.edition is not None:  # nobody is refused for what was so before
            raise Conflict
        return decision

    async def facts(used: frozenset[bytes]) -> ExchangeFacts:
        nonlocal before
        found, before = before, None
        if found is None:
            found = await look_up(server, request)
        else:
            await turn()
        keys, who = server.client_keys, (found.client, request.shown, used)
        known = keys.at_hand(*who) or await keys.known(*who)
        return found if known is NOTHING_KNOWN else replace(found, known=known)

    done = await settle(server.store, facts, decide)
    client_id = request.shown.client_id
    if isinstance(done, Refused):
        return refused(done.error, done.profile, client_id)
    return Reply(200, done.profile.token_answer(done.answer), client_id=client_id)


def issue(
    server: AuthorizationServer, decision: Granted | Repeated, redeemed: str, edition: int | None = None
) -> Issued:
    """Mint what a granted request is given, and ask for it to be kept: only if all is as it was at this edition."""
    now = server.clock()
    if isinstance(decision, Repeated):
        return Issued(decision.profile, opened(decision.successor, redeemed, now), decision.changes)
    root, renew = decision.authorization, decision.renew
    kept: list[Authorization | AccessToken | RefreshToken | SealedSuccessor] = []
    if decision.new:
        root = replace(root, id=server.mint.authorization_id(now))
        kept.append(root)
    value, record = access_token(server, decision, root, now)
    kept.append(record)
    refresh_token = ""
    if decision.beside is not None:
        refresh_token = opened(decision.beside, redeemed, now).refresh_token
    elif renew is not None:
        refresh_token = server.mint.refresh_token(now)
        kept.append(RefreshToken(digest(refresh_token), root, now, now + renew.lifetime, renew.terms))
    told = answer(server, decision, value, refresh_token)
    if renew is not None and renew.retry_until is not None:
        kept.append(sealed(Told(told, now), decision.terms, redeemed, renew.retry_until, server.mint))
    held = () if edition is None else (Still(edition),)
    return Issued(decision.profile, told, (*held, *decision.changes, *map(Save, kept)))


def access_token(
    server: AuthorizationServer, granted: Granted, root: Authorization, now: int
) -> tuple[str, AccessToken]:
    """An access token in the form that was decided on, and what is kept of it."""
    expires_at = None if granted.lifetime is None else now + granted.lifetime
    if granted.jwt and server.keys.can_sign:
        told = claims.of(AccessToken(b"", root, now, expires_at, granted.terms), server.book.issuer)
        value = server.mint.jwt(server.keys.sign, told)
    else:
        value = server.mint.access_token(granted.profile.token_form, root.client_id, now)
    return value, AccessToken(digest(value), root, now, expires_at, granted.terms)


def answer(server: AuthorizationServer, granted: Granted, token: str, refresh_token: str) -> TokenAnswer:
    """What a granted request is told."""
    terms, account = granted.terms, granted.account
    return TokenAnswer(
        token=token,
        scope=terms.scope or granted.authorization.scope,
        lifetime=granted.lifetime,
        person=person(server, account) if account is not None else None,
        token_type="DPoP" if terms.jkt else "Bearer",
        refresh_token=refresh_token,
        issued_token_type=granted.issued_token_type,
        details=terms.details or ("" if terms.client else granted.authorization.terms.details),
    )


def refused(error: OAuthError, profile: Profile, client_id: str) -> Reply:
    """A refusal in the words of the profile."""
    status, body = profile.error_answer(error.code, error.reason, error.description, error.subject)
    return Reply(status, body, error.reason, client_id)
