"""client_secret_basic: the secret in the Authorization header (RFC 6749 2.3.1)."""

from valetkey.protocol.rules import client_secret
from valetkey.protocol.rules.credentials import ClientAuth

CLIENT_SECRET_BASIC = ClientAuth("client_secret_basic", client_secret.check)
