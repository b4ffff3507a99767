"""How a client proves who it is (RFC 6749 2.3): one file a method, one line here; and who is it?"""

from valetkey.protocol.changes import Changes
from valetkey.protocol.client_auth.basic import CLIENT_SECRET_BASIC
from valetkey.protocol.client_auth.none import NONE
from valetkey.protocol.client_auth.post import CLIENT_SECRET_POST
from valetkey.protocol.client_auth.private_key_jwt import PRIVATE_KEY_JWT
from valetkey.protocol.client_auth.secret_jwt import CLIENT_SECRET_JWT
from valetkey.protocol.client_auth.self_signed_tls import SELF_SIGNED_TLS_CLIENT_AUTH
from valetkey.protocol.client_auth.tls import TLS_CLIENT_AUTH
from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.facts import Known
from valetkey.protocol.model import Client
from valetkey.protocol.rules import certificate
from valetkey.protocol.rules.credentials import ClientAuth, Credentials
from valetkey.protocol.rules.rulebook import Rulebook

METHODS: dict[str, ClientAuth] = {
    method.name: method
    for method in (
        CLIENT_SECRET_BASIC,
        CLIENT_SECRET_POST,
        CLIENT_SECRET_JWT,
        PRIVATE_KEY_JWT,
        TLS_CLIENT_AUTH,
        SELF_SIGNED_TLS_CLIENT_AUTH,
        NONE,
    )
}


def authenticate(
    client: Client | None, shown: Credentials, known: Known, book: Rulebook, now: int
) -> tuple[Client, Changes]:
    """The client, once it has proven who it is, and what must be written for it. Raises InvalidClient."""
    if client is None or client.disabled_at is not None:
        raise InvalidClient("client_unknown", "the client is unknown")
    method, registered = shown.method, client.registered.token_endpoint_auth_method
    if method == "none" and registered in certificate.METHODS:  # theirs is not in the request (RFC 8705 2)
        method = registered
    if method not in book.profiles[client.profile].client_auth or registered not in ("", method):
        raise InvalidClient("method_unknown", "the client must authenticate in another way")
    return client, METHODS[method].check(client, shown, known, book, now)
