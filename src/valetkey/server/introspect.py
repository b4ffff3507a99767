"""The introspection endpoint acts: look up, decide, answer; signed for who asks for that (RFC 7662, RFC 9701 5)."""

from valetkey.protocol.decision import Refused
from valetkey.protocol.endpoints import introspect as rules
from valetkey.protocol.endpoints.introspect import Introspected
from valetkey.protocol.errors import InvalidRequest
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import token_question
from valetkey.protocol.rules.token_question import TokenQuestion
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.form_endpoint import reads
from valetkey.server.settle import settle
from valetkey.server.token import Reply, refused
from valetkey.server.token_question import look_up

JWT = "application/token-introspection+jwt"


@reads(token_question.read)
async def introspect(server: AuthorizationServer, question: TokenQuestion) -> Reply | Refused:
    """Answer a question about a token. Raises settle.Busy, store.base.Unavailable."""

    def decide(facts: ExchangeFacts) -> Introspected | Refused:
        return rules.decide(question, facts, server.book, server.clock())

    done = await settle(server.store, lambda used: look_up(server, question, used), decide)
    if isinstance(done, Refused):
        return done
    if JWT in question.accept:
        return signed(server, done, question.profile)
    return Reply(200, done.told, client_id=question.shown.client_id)


def signed(server: AuthorizationServer, done: Introspected, profile: Profile) -> Reply:
    """The answer as a JWT for the caller alone (RFC 9701 5). Raises store.base.Unavailable."""
    caller = done.caller
    alg = caller.registered.introspection_signed_response_alg
    if not server.keys.can_sign_with(alg):
        words = f"this server does not sign{f' with {alg}' if alg else ''}; ask for application/json"
        no = InvalidRequest("unsigned", words)
        return refused(no, profile, caller.id)
    claims = {
        "iss": server.book.issuer,
        "aud": caller.id,
        "iat": server.clock(),
        "token_introspection": done.told,
    }
    token = server.keys.sign("token-introspection+jwt", claims, (alg,) if alg else ())
    return Reply(200, {}, client_id=caller.id, jwt=token, content_type=JWT)
