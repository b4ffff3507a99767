"""client_secret_post: the secret in the body (RFC 6749 2.3.1, RFC 7591 2)."""

from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.model import Client
from valetkey.protocol.rules import client_secret
from valetkey.protocol.rules.credentials import ClientAuth, Credentials


def check(client: Client, shown: Credentials, now: int) -> None:
    """Raises InvalidClient unless the secret is one of the client's."""
    if shown.secret is None or not client_secret.matches(client, shown.secret, now):
        raise InvalidClient("secret_wrong", "the client_secret is wrong")


CLIENT_SECRET_POST = ClientAuth("client_secret_post", check)
