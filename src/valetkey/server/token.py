"""The token endpoint acts: look up, decide, mint, apply (RFC 6749 3.2)."""

from msgspec import Struct

from valetkey.protocol.changes import Changes, Save
from valetkey.protocol.decision import Granted, Refused
from valetkey.protocol.endpoints import token as rules
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.model import AccessToken, ExchangeFacts
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules.digest import digest
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.pictures import person
from valetkey.server.settle import settle


class Issued(Struct, frozen=True):
    """A granted request with its token minted."""

    granted: Granted
    token: str
    changes: Changes


class TokenAnswer(Struct, frozen=True):
    """Status and JSON body; `reason` is for the operator's log, empty when all is well."""

    status: int
    body: dict[str, object]
    reason: str = ""
    client_id: str = ""


async def token(
    server: AuthorizationServer, profile: Profile, params: Params, query: Params, header: str | None
) -> TokenAnswer:
    """Answer a token request made at this profile's endpoint. Raises settle.Busy, store.base.Unavailable."""
    try:
        request = rules.read(params, query, header, profile)
    except OAuthError as error:
        return refused(error, profile, params.get("client_id") or "")

    def decide(facts: ExchangeFacts) -> Issued | Refused:
        client = facts.client
        if client is not None and server.book.profiles[client.profile].token_path != profile.token_path:
            facts = ExchangeFacts()
        elif client is not None:
            return issue(
                server, rules.decide(request, facts, server.book.profiles[client.profile], server.clock())
            )
        return issue(server, rules.decide(request, facts, profile, server.clock()))

    client_id = request.shown.client_id
    done = await settle(server.store, lambda: server.store.exchange_facts(client_id, request.digest), decide)
    if isinstance(done, Refused):
        return refused(done.error, done.profile, client_id)
    granted = done.granted
    body = granted.profile.token_answer(
        done.token, person(server, granted.account), granted.authorization.scope, granted.lifetime
    )
    return TokenAnswer(200, body, client_id=client_id)


def issue(server: AuthorizationServer, decision: Granted | Refused) -> Issued | Refused:
    """Mint the token of a granted request and ask for it to be kept."""
    if isinstance(decision, Refused):
        return decision
    now, authorization = server.clock(), decision.authorization
    value = server.mint.access_token(decision.profile.token_form, authorization.client_id, now)
    expires_at = None if decision.lifetime is None else now + decision.lifetime
    kept = AccessToken(digest(value), authorization, now, expires_at)
    return Issued(decision, value, (*decision.changes, Save(kept)))


def refused(error: OAuthError, profile: Profile, client_id: str) -> TokenAnswer:
    """A refusal in the words of the profile."""
    status, body = profile.error_answer(error.code, error.reason, error.description, error.subject)
    return TokenAnswer(status, body, error.reason, client_id)
