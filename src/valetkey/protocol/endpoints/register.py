"""Dynamic registration: who may register or change a client, and what is answered (RFC 7591 3, RFC 7592 2)."""

import hmac
import re

from valetkey.protocol.changes import Changes, Draw
from valetkey.protocol.errors import InvalidClientMetadata, InvalidToken
from valetkey.protocol.model import NOBODY, Client
from valetkey.protocol.profile import Profile
from valetkey.protocol.registration_token import RegistrationToken
from valetkey.protocol.rules import client_metadata, client_secret, strict_json
from valetkey.protocol.rules.client_metadata import Described
from valetkey.protocol.rules.digest import digest
from valetkey.protocol.rules.headers import Headers
from valetkey.protocol.rules.rulebook import Rulebook

BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9\-._~+/]{1,200}=*)")
USUAL = "client_secret_basic"  # of a client that names no method (RFC 7591 2)
OURS = (
    "registration_access_token registration_client_uri client_secret_expires_at client_id_issued_at".split()
)
WITH_SECRET = frozenset({"client_secret_basic", "client_secret_post", "client_secret_jwt"})


def shown(headers: Headers) -> str | None:
    """The token in the Authorization header; None when there is none. Raises InvalidToken."""
    if headers.authorization is None:
        return None
    found = BEARER.fullmatch(headers.authorization.strip())
    if found is None:
        raise InvalidToken("bearer_malformed", "the Authorization header is not a Bearer token")
    return found[1]


def check_asked(shown: str | None, everybody: bool) -> None:
    """Where not everybody may come, an initial access token must be shown (RFC 7591 3). Raises InvalidToken."""
    if shown is None and not everybody:
        raise InvalidToken("initial_token_missing", "an initial access token is needed to register here")


def admit(token: RegistrationToken | None, now: int) -> Changes:
    """What must be written of an initial access token that lets a client in. Raises InvalidToken."""
    if token is None or token.expires_at <= now or token.uses < 1:
        raise InvalidToken("initial_token_bad", "the initial access token is unknown, over or used up")
    return (Draw(token.digest, now),)


def read(body: bytes, profile: Profile, book: Rulebook) -> Described:
    """A registration request (RFC 7591 3.1). Raises OAuthError."""
    return client_metadata.read(members(body), profile, frozenset(book.catalogue), USUAL)


def read_change(body: bytes, client: Client, book: Rulebook, now: int) -> Described:
    """An update request, which says everything anew (RFC 7592 2.2). Raises OAuthError."""
    said = members(body)
    ours = [name for name in OURS if name in said]
    if ours:
        raise InvalidClientMetadata("metadata_ours", f"{ours[0]} is not for the client to say (RFC 7592 2.2)")
    if said.get("client_id") != client.id:
        raise InvalidClientMetadata("client_id_differs", "client_id must be there, and be this client's own")
    secret = said.get("client_secret")
    if secret is not None and not (isinstance(secret, str) and client_secret.matches(client, secret, now)):
        raise InvalidClientMetadata("secret_wrong", "client_secret is not this client's own")
    profile = book.profiles[client.profile]
    return client_metadata.read(said, profile, frozenset(book.catalogue), USUAL)


def members(body: bytes) -> dict[str, object]:
    """The JSON object of a request. Raises InvalidClientMetadata."""
    try:
        return strict_json.read_object(body)
    except ValueError:
        raise InvalidClientMetadata(
            "metadata_unreadable", "the body is not a JSON object that all readers read alike"
        ) from None


def check_holder(client: Client | None, token: str | None, going: bool = False) -> Client:
    """The client whose registration access token this is; a disabled one cannot help itself (CVE-2026-9705), but for
    one that is `going` and was shut out by nothing else.

    Raises InvalidToken, the same for a client that is not there.
    """
    if token is None:
        raise InvalidToken("registration_token_missing", "the registration access token is missing")
    bad = InvalidToken("registration_token_bad", "the registration access token is not this client's")
    if client is None or client.owner_id != NOBODY:
        raise bad
    if client.disabled_at is not None and not (going and client.disabled_at == client.registered.left_at):
        raise bad
    if not hmac.compare_digest(client.registered.registration_token, digest(token)):
        raise bad
    return client


def needs_secret(described: Described) -> bool:
    """Whether the way it proves who it is takes a secret."""
    return described.registered.token_endpoint_auth_method in WITH_SECRET


def told(client: Client, book: Rulebook, token: str, secret: str | None) -> dict[str, object]:
    """The client information response (RFC 7591 3.2.1, RFC 7592 3). A secret is told when it is made, and not again."""
    body = client_metadata.told(client) | {
        "registration_access_token": token,
        "registration_client_uri": f"{book.issuer}/oauth/register/{client.id}",
    }
    if secret is not None:
        body |= {"client_secret": secret, "client_secret_expires_at": 0}
    return body
