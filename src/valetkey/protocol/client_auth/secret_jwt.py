"""client_secret_jwt: a JWT that the client secret authenticates, used once (RFC 7523 2.2).

The secret is not kept; its HMAC midstates are, and they verify (docs/decisions/0003).
"""

import hmac

from valetkey.protocol.changes import Changes
from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.facts import Known
from valetkey.protocol.model import Client
from valetkey.protocol.rules import client_assertion, signed_request
from valetkey.protocol.rules.credentials import ClientAuth, Credentials
from valetkey.protocol.rules.jwt import Untrusted, Unverified
from valetkey.protocol.rules.rulebook import Rulebook

LONGEST = 2048  # bytes: SHA-256 from a midstate is ours, in Python, and slow


def check(client: Client, shown: Credentials, known: Known, book: Rulebook, now: int) -> Changes:
    """Raises InvalidClient unless a living secret made the signature of the assertion, for us, for the first time."""
    if shown.assertion is None:
        raise InvalidClient("assertion_missing", "client_assertion is missing")
    try:
        if shown.assertion.algorithm != "HS256":
            raise Untrusted("alg", "must be signed with HS256")
        if len(shown.assertion.signed) > LONGEST:
            raise Untrusted("long", f"is longer than {LONGEST} characters")
        once = client_assertion.check(shown.assertion, client, book, now)
        if not authentic(client, shown.assertion, now):
            raise InvalidClient("secret_wrong", "client_assertion is not signed with the client_secret")
        client_assertion.check_unused(once, known)
    except Untrusted as no:
        raise client_assertion.refused(no) from None
    return (once,)


def authentic(client: Client, token: Unverified, now: int) -> bool:
    """Whether one of the client's living secrets made the signature."""
    found = False
    for kept in client.secrets:
        if kept.expires_at is None or kept.expires_at > now:
            made = signed_request.mac(kept.signing_key, token.signed)
            found |= hmac.compare_digest(made, token.signature)
    return found


CLIENT_SECRET_JWT = ClientAuth("client_secret_jwt", check)
