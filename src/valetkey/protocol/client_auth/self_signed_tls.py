"""self_signed_tls_client_auth: a certificate that is among the client's registered keys (RFC 8705 2.2)."""

from cryptography.hazmat.primitives.serialization import Encoding

from valetkey.protocol.changes import Changes
from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.facts import Known
from valetkey.protocol.model import Client
from valetkey.protocol.rules import certificate, jwk
from valetkey.protocol.rules.credentials import ClientAuth, Credentials
from valetkey.protocol.rules.rulebook import Rulebook


def check(client: Client, shown: Credentials, known: Known, book: Rulebook, now: int) -> Changes:
    """Raises InvalidClient unless the certificate is one that came with a key of the client's (x5c, x5t#S256)."""
    found = certificate.thumbprint(certificate.shown_by(shown, now).public_bytes(Encoding.DER))
    try:
        keys = jwk.read_set(known.keys)
    except jwk.BadKey:
        raise InvalidClient("keys_unreadable", "the registered keys of this client cannot be read") from None
    if not any(found in key.certificates for key in keys):
        raise InvalidClient("certificate_other", "the certificate is not one of this client")
    return ()


SELF_SIGNED_TLS_CLIENT_AUTH = ClientAuth("self_signed_tls_client_auth", check)
