"""Client-id metadata documents: a client known by the address of what describes it (OAuth client-id-metadata draft)."""

from urllib.parse import urlsplit

from valetkey.protocol.errors import InvalidClientMetadata
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import client_metadata, redirect_uri, strict_json
from valetkey.protocol.rules.client_metadata import Described

LONGEST = 500
USUAL = "none"  # no secret can be shared with a document that everybody reads
METHODS = frozenset({"none", "private_key_jwt"})


def is_address(client_id: str) -> bool:
    """Whether a client_id says that a document describes it; no id that we make begins so."""
    return client_id.startswith("https://")


def why_not_address(client_id: str) -> str | None:
    """What is wrong with the address (draft 3): every parser must read the same out of it."""
    if len(client_id) > LONGEST:
        return f"is longer than {LONGEST} characters"
    parts = redirect_uri.WEB.fullmatch(client_id)
    if parts is None or parts[1] != "https":
        return "is not an https address without fragment, user and password"
    _, host, port, path = parts.groups()
    if host != host.lower() or not redirect_uri.plain_host(host) or not redirect_uri.plain_path(path):
        return "does not name a host and a path that every browser reads alike"
    if path in ("", "/"):
        return "has no path"
    if port is not None and not 1024 <= int(port) < 65536:
        return "has a port that documents are not fetched from"
    return None


def host_allowed(client_id: str, allow: tuple[str, ...], deny: tuple[str, ...]) -> bool:
    """Whether the operator lets this host publish clients: none that is denied; any other where nobody is allowed."""
    return publishes(str(urlsplit(client_id).hostname), allow, deny)


def publishes(host: str, allow: tuple[str, ...], deny: tuple[str, ...]) -> bool:
    """The same of a host by its name."""
    if any(names(host, pattern) for pattern in deny):
        return False
    return not allow or any(names(host, pattern) for pattern in allow)


def names(host: str, pattern: str) -> bool:
    """app.example is itself; *.app.example is all below it."""
    pattern = pattern.lower()
    return host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def read(body: bytes, client_id: str, profile: Profile, scopes: frozenset[str]) -> Described:
    """The client that a document describes (draft 4). Raises OAuthError."""
    try:
        said = strict_json.read_object(body)
    except ValueError:
        raise InvalidClientMetadata("document_bad", "the document is not a JSON object") from None
    if said.get("client_id") != client_id:
        raise InvalidClientMetadata(
            "document_bad", "the document names another client_id than its own address"
        )
    if (said.get("token_endpoint_auth_method") or USUAL) not in METHODS or "client_secret" in said:
        raise InvalidClientMetadata(
            "document_bad", "the document speaks of a secret, which it could not keep"
        )
    return client_metadata.read(said, profile, scopes, USUAL)
