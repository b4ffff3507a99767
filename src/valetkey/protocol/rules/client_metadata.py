"""Client metadata: what a client says of itself, read, and what is remembered of it, told (RFC 7591 2, 3.2.1)."""

import re
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from valetkey.protocol.errors import (
    InvalidClientMetadata,
    InvalidRedirectUri,
    InvalidSoftwareStatement,
    UnapprovedSoftwareStatement,
)
from valetkey.protocol.model import Client, Registration
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules.registrable import ASKING

UNNAMED = "Unnamed app"
MOST_IN_LIST = 100
LONGEST_TEXT = 2000
# What a client may say of itself and we remember as it is; whatever else it says, somebody else must grant it.
REMEMBERED = (
    "token_endpoint_auth_method token_endpoint_auth_signing_alg jwks jwks_uri logo_uri tls_client_auth_subject_dn"
    " tls_client_auth_san_dns tls_client_auth_san_uri tls_client_auth_san_ip tls_client_auth_san_email"
    " dpop_bound_access_tokens tls_client_certificate_bound_access_tokens require_pushed_authorization_requests"
    " require_signed_request_object request_object_signing_alg authorization_details_types"
    " introspection_signed_response_alg authorization_signed_response_alg".split()
)
SIGNED = re.compile(r"[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+")


class Described(Struct, frozen=True):
    """A client as it describes itself, everything it left out filled in."""

    name: str
    type: str
    redirect_uris: tuple[str, ...]
    website: str
    registered: Registration


def read(said: Mapping[str, object], profile: Profile, scopes: frozenset[str], method: str) -> Described:
    """The metadata of a client that will live under this profile. Raises OAuthError.

    method: the one it has if it names none (RFC 7591 2). Grants and scopes that nobody can give it here are left out;
    what is answered says so (RFC 7591 2).
    """
    check_statement(said)
    uris, scope = texts(said, "redirect_uris"), text(said, "scope").split()
    method = text(said, "token_endpoint_auth_method") or method
    grants = texts(said, "grant_types") or ("authorization_code",)
    offered = tuple(name for name in grants if name in profile.grants and name in ASKING)
    if not offered or offered == ("refresh_token",):
        raise InvalidClientMetadata("grant_types_none", "grant_types names nothing that can be had here")
    if "code" not in (texts(said, "response_types") or ("code",)):
        raise InvalidClientMetadata("response_types_none", "response_types must have code among them")
    known = tuple(dict.fromkeys(name for name in scope if name in scopes))
    if scope and not known:
        raise InvalidClientMetadata("scope_unknown", "scope names nothing that is known here")
    kept = remembered({**said, "token_endpoint_auth_method": method, "grant_types": offered, "scope": known})
    kind = "web" if method != "none" else "native" if native(said, uris) else "spa"
    return Described(text(said, "client_name") or UNNAMED, kind, uris, text(said, "client_uri"), kept)


def check_statement(said: Mapping[str, object]) -> None:
    """Nobody's software statements are approved here, and to ignore one would be to believe less than it says.

    Raises OAuthError.
    """
    statement = said.get("software_statement")
    if statement is None:
        return
    if not isinstance(statement, str) or not SIGNED.fullmatch(statement):
        raise InvalidSoftwareStatement("statement_malformed", "software_statement is not a signed JWT")
    raise UnapprovedSoftwareStatement("statement_unapproved", "software statements are not approved here")


def remembered(said: Mapping[str, object]) -> Registration:
    """What is kept as it was said. Raises InvalidClientMetadata."""
    keys, names = said.get("jwks"), (*REMEMBERED, "grant_types", "scope")
    if keys is not None and not isinstance(keys, dict):
        raise InvalidClientMetadata("metadata_type", "jwks must be an object")
    kept = {
        name: said[name]
        for name in names
        if name in Registration.__struct_fields__ and said.get(name) not in (None, "", [])
    }
    if keys is not None:
        kept["jwks"] = msgspec.json.encode(keys).decode()
    try:
        return msgspec.convert(kept, Registration)
    except msgspec.ValidationError as error:
        raise InvalidClientMetadata(
            "metadata_type", f"the client metadata has a wrong type: {error}"
        ) from None


def native(said: Mapping[str, object], uris: tuple[str, ...]) -> bool:
    """Whether it runs on somebody's own device: it says so, or its redirect URIs do (RFC 8252 7)."""
    return said.get("application_type") == "native" or any(not uri.startswith("https://") for uri in uris)


def text(said: Mapping[str, object], name: str) -> str:
    """A member that is text, or absent. Raises InvalidClientMetadata."""
    found = said.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise InvalidClientMetadata("metadata_type", f"{name} must be a string")
    if len(found) > LONGEST_TEXT:
        raise InvalidClientMetadata("metadata_long", f"{name} is longer than {LONGEST_TEXT} characters")
    return found


def texts(said: Mapping[str, object], name: str) -> tuple[str, ...]:
    """A member that is a list of texts, or absent. Raises OAuthError."""
    found = said.get(name)
    if found is None:
        return ()
    wrong = InvalidRedirectUri if name == "redirect_uris" else InvalidClientMetadata
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise wrong("metadata_type", f"{name} must be a list of strings")
    if len(found) > MOST_IN_LIST:
        raise wrong("metadata_long", f"{name} has more than {MOST_IN_LIST} members")
    return tuple(dict.fromkeys(found))


def told(client: Client) -> dict[str, object]:
    """A client in the names of RFC 7591 2: what is remembered of it, everything it left out filled in."""
    registered = msgspec.to_builtins(client.registered)
    kept: dict[str, object] = {name: registered[name] for name in REMEMBERED if name in registered}
    if client.registered.jwks:
        kept["jwks"] = msgspec.Raw(client.registered.jwks.encode())
    if client.registered.scope:
        kept["scope"] = " ".join(client.registered.scope)
    if client.website:
        kept["client_uri"] = client.website
    grants = client.grant_types
    return {
        "client_id": client.id,
        "client_id_issued_at": client.created_at,
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": list(grants),
        "response_types": ["code"] if "authorization_code" in grants else [],
        **kept,
    }
