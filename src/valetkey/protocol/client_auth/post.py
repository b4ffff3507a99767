"""client_secret_post: the secret in the body (RFC 6749 2.3.1, RFC 7591 2)."""

from valetkey.protocol.rules import client_secret
from valetkey.protocol.rules.credentials import ClientAuth

CLIENT_SECRET_POST = ClientAuth("client_secret_post", client_secret.check)
