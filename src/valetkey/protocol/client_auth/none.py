"""none: a public client only says who it is (RFC 6749 3.2.1, RFC 7591 2); PKCE binds its code."""

from valetkey.protocol.changes import Changes
from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.facts import Known
from valetkey.protocol.model import Client
from valetkey.protocol.rules.credentials import ClientAuth, Credentials
from valetkey.protocol.rules.rulebook import Rulebook


def check(client: Client, shown: Credentials, known: Known, book: Rulebook, now: int) -> Changes:
    """Raises InvalidClient for a client that has a secret to show."""
    if client.confidential:
        raise InvalidClient("secret_missing", "this client must authenticate")
    return ()


NONE = ClientAuth("none", check)
