"""Looks up what a question about a token is answered from: the caller and the token in one round trip (RFC 7662 4)."""

from msgspec.structs import replace

from valetkey.protocol.facts import NOTHING_KNOWN, ExchangeFacts
from valetkey.protocol.rules.token_question import TokenQuestion
from valetkey.server.authorization_server import AuthorizationServer


async def look_up(
    server: AuthorizationServer, question: TokenQuestion, used: frozenset[bytes]
) -> ExchangeFacts:
    """Who asks, and the token. Raises store.base.Unavailable."""
    client_id, store = question.shown.client_id, server.store
    if question.refresh:
        found = await store.refresh_facts(client_id, question.digest)
    else:
        found = await store.introspect_facts(client_id, question.digest)
    keys, who = server.client_keys, (found.client, question.shown, used)
    known = keys.at_hand(*who) or await keys.known(*who)
    return found if known is NOTHING_KNOWN else replace(found, known=known)
