"""client_secret_basic: the secret in the Authorization header (RFC 6749 2.3.1)."""

from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.model import Client
from valetkey.protocol.rules import client_secret
from valetkey.protocol.rules.credentials import ClientAuth, Credentials


def check(client: Client, shown: Credentials, now: int) -> None:
    """Raises InvalidClient unless the secret is one of the client's."""
    if shown.secret is None or not client_secret.matches(client, shown.secret, now):
        raise InvalidClient("secret_wrong", "the client_secret is wrong")


CLIENT_SECRET_BASIC = ClientAuth("client_secret_basic", check)
