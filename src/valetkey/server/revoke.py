"""The revocation endpoint acts: look up, decide, apply (RFC 7009)."""

from valetkey.protocol.decision import Refused
from valetkey.protocol.endpoints import revoke as rules
from valetkey.protocol.endpoints.revoke import Revoked
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.rules import token_question
from valetkey.protocol.rules.token_question import TokenQuestion
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.form_endpoint import reads
from valetkey.server.settle import settle
from valetkey.server.token import Reply
from valetkey.server.token_question import look_up


@reads(token_question.read)
async def revoke(server: AuthorizationServer, question: TokenQuestion) -> Reply | Refused:
    """End what a client gives back. Raises settle.Busy, store.base.Unavailable."""

    def decide(facts: ExchangeFacts) -> Revoked | Refused:
        return rules.decide(question, facts, server.book, server.clock())

    done = await settle(server.store, lambda used: look_up(server, question, used), decide)
    return done if isinstance(done, Refused) else Reply(200, {}, client_id=question.shown.client_id)
