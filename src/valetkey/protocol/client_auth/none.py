"""none: a public client only says who it is (RFC 6749 3.2.1, RFC 7591 2); PKCE binds its code."""

from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.model import Client
from valetkey.protocol.rules.credentials import ClientAuth, Credentials


def check(client: Client, shown: Credentials, now: int) -> None:
    """Raises InvalidClient for a client that has a secret to show."""
    if client.confidential:
        raise InvalidClient("secret_missing", "this client must authenticate")


NONE = ClientAuth("none", check)
