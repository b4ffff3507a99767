"""Credentials: what a token request shows of its client, and by which one method (RFC 6749 2.3, R9)."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_plus

from msgspec import Struct

from valetkey.protocol.changes import Changes
from valetkey.protocol.errors import InvalidClient, InvalidRequest, OAuthError
from valetkey.protocol.facts import Known
from valetkey.protocol.model import Client
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import client_assertion
from valetkey.protocol.rules.headers import Headers
from valetkey.protocol.rules.jwt import Unverified
from valetkey.protocol.rules.rulebook import Rulebook

REQUEST_NAMES = frozenset(
    "client_id client_secret client_assertion client_assertion_type"
    " grant_type redirect_uri code code_verifier refresh_token scope device_code".split()
)


class Credentials(Struct, frozen=True):
    """A client_id, what was shown for it, and the method it was shown by. A certificate comes with the connection, so
    it is there beside any method."""

    client_id: str
    secret: str | None
    method: str
    assertion: Unverified | None = None
    certificate: bytes | None = None
    certificate_verified: bool = False


@dataclass(frozen=True, slots=True)
class ClientAuth:
    """A client authentication method: its registered name, and the check that raises InvalidClient.

    What check(client, shown, known, book, now) returns must be written, so that an assertion is used once.
    """

    name: str
    check: Callable[[Client, Credentials, Known, Rulebook, int], Changes]


def check_place(params: Params, query: Params) -> None:
    """What belongs into the body is never taken from the query string, which ends up in logs. Raises InvalidRequest."""
    if query and any(name in params or name in REQUEST_NAMES for name, _ in query.items()):
        raise InvalidRequest("query_used", "parameters belong into the body, not into the query string")


def read(params: Params, headers: Headers, profile: Profile) -> Credentials:
    """Who the request says it is from. Raises InvalidRequest, InvalidClient.

    A scheme other than Basic in Authorization is none of our business here.
    """
    basic = read_basic(headers.authorization)
    client_id, secret = params.get("client_id"), params.get("client_secret")
    if profile.credentials_twice:
        return read_body_first(client_id, secret, basic)
    assertion = client_assertion.read(params)
    if [basic, secret, assertion].count(None) < 2:
        raise InvalidRequest(
            "credentials_twice", "the client is authenticated by two methods at once (RFC 6749 2.3)"
        )
    known_by, method = client_id, "none" if secret is None else "client_secret_post"
    if basic is not None:
        # an empty secret is one that might be left out (RFC 6749 2.3.1): some clients without one say so like that
        known_by, secret = basic[0], basic[1] or None
        method = "client_secret_basic" if secret else "none"
    elif assertion is not None:
        known_by, method = client_assertion.names(assertion)
    if known_by is None:
        raise InvalidClient("client_id_missing", "client_id is missing")
    if client_id is not None and client_id != known_by:
        raise InvalidRequest("client_id_differs", "client_id differs from the credentials beside it")
    return Credentials(known_by, secret, method, assertion, headers.certificate, headers.certificate_verified)


def named(params: Params, headers: Headers, profile: Profile) -> str:
    """The client that a request says it is from, whatever else is wrong with it; "" for none."""
    try:
        return read(params, headers, profile).client_id
    except OAuthError:
        return params.get("client_id") or ""


def read_body_first(client_id: str | None, secret: str | None, basic: tuple[str, str] | None) -> Credentials:
    """Credentials are in the body; a Basic header beside them is borne if it says the same (classic.md 3)."""
    if client_id is None and basic is None:
        raise InvalidClient("client_id_missing", "client_id is missing")
    if secret is None:
        raise InvalidClient("secret_missing", "client_secret is missing")
    if client_id is None:
        raise InvalidClient("client_id_missing", "client_id is missing")
    if basic is not None and basic != (client_id, secret):
        raise InvalidClient("secret_wrong", "the Authorization header and the body differ")
    return Credentials(client_id, secret, "client_secret_post")


def read_basic(header: str | None) -> tuple[str, str] | None:
    """User and password of a Basic header (RFC 7617), form-decoded (RFC 6749 2.3.1). Raises InvalidClient."""
    if header is None:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        name, colon, password = (unquote_plus(part, errors="strict") for part in text.partition(":"))
        if not colon or "\0" in name + password:
            raise ValueError
        return name, password
    except (binascii.Error, ValueError):
        raise InvalidClient("basic_malformed", "the Authorization header is not Basic credentials") from None
