"""private_key_jwt: a JWT signed with a key of the client's, used once (RFC 7523 2.2)."""

from valetkey.protocol.changes import Changes
from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.facts import Known
from valetkey.protocol.model import Client
from valetkey.protocol.rules import client_assertion, jwk, jwt
from valetkey.protocol.rules.credentials import ClientAuth, Credentials
from valetkey.protocol.rules.jwt import Untrusted
from valetkey.protocol.rules.rulebook import Rulebook


def check(client: Client, shown: Credentials, known: Known, book: Rulebook, now: int) -> Changes:
    """Raises InvalidClient unless one of the client's keys signed the assertion, for us, now, for the first time."""
    if shown.assertion is None:
        raise InvalidClient("assertion_missing", "client_assertion is missing")
    try:
        once = client_assertion.check(shown.assertion, client, book, now)
        algorithms = book.profiles[client.profile].assertions.algorithms
        jwt.signed_by(shown.assertion, jwk.read_set(known.keys), algorithms)
        client_assertion.check_unused(once, known)
    except Untrusted as no:
        raise client_assertion.refused(no) from None
    except jwk.BadKey:
        raise InvalidClient("keys_unreadable", "the registered keys of this client cannot be read") from None
    return (once,)


PRIVATE_KEY_JWT = ClientAuth("private_key_jwt", check)
