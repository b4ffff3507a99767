"""The revocation endpoint acts: look up, decide, apply (RFC 7009)."""

from valetkey.protocol.decision import Refused
from valetkey.protocol.endpoints import revoke as rules
from valetkey.protocol.endpoints.revoke import Revoked
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import token_question
from valetkey.protocol.rules.headers import Headers
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.settle import settle
from valetkey.server.token import Reply, refused
from valetkey.server.token_question import look_up


async def revoke(
    server: AuthorizationServer, profile: Profile, params: Params, query: Params, headers: Headers
) -> Reply:
    """End what a client gives back. Raises settle.Busy, store.base.Unavailable."""
    try:
        question = token_question.read(params, query, headers, profile)
    except OAuthError as error:
        return refused(error, profile, params.get("client_id") or "")

    def decide(facts: ExchangeFacts) -> Revoked | Refused:
        return rules.decide(question, facts, server.book, server.clock())

    done = await settle(server.store, lambda used: look_up(server, question, used), decide)
    if isinstance(done, Refused):
        return refused(done.error, done.profile, question.shown.client_id)
    return Reply(200, {}, client_id=question.shown.client_id)
