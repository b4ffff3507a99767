"""Is this the client's secret? Digests of random secrets, compared in constant time (RFC 6749 2.3.1, R8, R9)."""

import hashlib
import hmac

from valetkey.protocol.changes import Changes
from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.facts import Known
from valetkey.protocol.model import Client
from valetkey.protocol.rules.credentials import Credentials
from valetkey.protocol.rules.rulebook import Rulebook


def check(client: Client, shown: Credentials, known: Known, book: Rulebook, now: int) -> Changes:
    """Raises InvalidClient unless the secret shown is one of the client's."""
    if shown.secret is None or not matches(client, shown.secret, now):
        raise InvalidClient("secret_wrong", "the client_secret is wrong")
    return ()


def matches(client: Client, secret: str, now: int) -> bool:
    """Whether the secret is one of the client's living ones."""
    digest = hashlib.sha256(secret.encode()).digest()
    found = False
    for kept in client.secrets:
        alive = kept.expires_at is None or kept.expires_at > now
        found |= hmac.compare_digest(digest, kept.digest) and alive
    return found
