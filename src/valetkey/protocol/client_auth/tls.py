"""tls_client_auth: a certificate of an authority that the operator's proxy believes, by its name (RFC 8705 2.1)."""

from valetkey.protocol.changes import Changes
from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.facts import Known
from valetkey.protocol.model import Client
from valetkey.protocol.rules import certificate
from valetkey.protocol.rules.credentials import ClientAuth, Credentials
from valetkey.protocol.rules.rulebook import Rulebook


def check(client: Client, shown: Credentials, known: Known, book: Rulebook, now: int) -> Changes:
    """Raises InvalidClient unless the certificate is one that was verified, and names this client."""
    found = certificate.shown_by(shown, now)
    if not shown.certificate_verified:
        raise InvalidClient(
            "certificate_unverified", "the certificate is of no authority that is trusted here"
        )
    if not certificate.belongs_to(found, client.registered):
        raise InvalidClient("certificate_other", "the certificate is not the one of this client")
    return ()


TLS_CLIENT_AUTH = ClientAuth("tls_client_auth", check)
