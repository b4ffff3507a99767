"""Facts and requests to decide about: each differs from the next by what the test names."""

import hashlib
from dataclasses import replace as other_rules
from typing import Any
from urllib.parse import quote, urlencode

from msgspec.structs import replace

from valetkey.protocol.errors import OAuthError
from valetkey.protocol.model import (
    Account,
    Authorization,
    AuthorizationCode,
    Catalogue,
    Client,
    ClientSecret,
    Consent,
    DeviceRequest,
    RefreshToken,
    Scope,
    Session,
)
from valetkey.protocol.params import Params, parse
from valetkey.protocol.profile import Person, Profile
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.rules import pkce, signed_request
from valetkey.protocol.rules.consent import Said
from valetkey.protocol.rules.headers import Headers
from valetkey.protocol.rules.rulebook import Rulebook

NOW = 1_800_000_000
ISSUER = "https://id.test"
REDIRECT = "https://rp.test/cb"
ALLOW, DENY = Said(True), Said(False)
SECRET = "vk_cs_secret"
CODE = "47a0479900504cb3ab4a1f626d174d2d"
REFRESH = "vk_rt_refresh"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636 appendix B
PERSON = Person("1574083", "snoopdogg", "Snoop Dogg", "https://id.test/p/1.jpg")
CATALOGUE: Catalogue = {name: Scope(name, f"words of {name}") for name in ("basic", "likes", "comments")}
BOOK = Rulebook(PROFILES, CLASSIC, CATALOGUE, ISSUER)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def secret(text: str = SECRET, expires_at: int | None = None) -> ClientSecret:
    return ClientSecret(digest(text), signed_request.signing_key(text), text[-4:], NOW, expires_at)


def account(key: int = 1, **more: Any) -> Account:
    return Account(key, "snoopdogg", "snoopdogg", "Snoop Dogg", "s@mail.test", "argon2", NOW, **more)


def client(**more: Any) -> Client:
    """A confidential app of account 9, classic."""
    plain = Client("app", 9, "App", "web", "classic", (REDIRECT,), NOW, (secret(),))
    return replace(plain, **more)


def public(**more: Any) -> Client:
    """An app that cannot keep a secret."""
    return client(**{"type": "spa", "secrets": (), **more})


def session(expires_at: int = NOW + 1) -> Session:
    return Session(digest("browser"), 1, NOW, NOW, expires_at)


def consent(*scope: str, refused: tuple[str, ...] = (), resource: tuple[str, ...] = ()) -> Consent:
    """resource: servers, at each of which all of the scope was allowed."""
    return Consent(1, "app", scope, NOW - 1000, refused, tuple((uri, scope) for uri in resource))


def authorization(**more: Any) -> Authorization:
    return replace(Authorization(77, 1, "app", ("basic",), NOW), **more)


def code(**more: Any) -> AuthorizationCode:
    plain = AuthorizationCode(digest(CODE), authorization(), REDIRECT, NOW + 1)
    return replace(plain, **more)


def device(**more: Any) -> DeviceRequest:
    plain = DeviceRequest(digest("device"), "WDJBMJHT", "app", ("basic", "likes"), NOW + 600, 5)
    return replace(plain, **more)


def refresh(**more: Any) -> RefreshToken:
    plain = RefreshToken(digest(REFRESH), authorization(), NOW - 3600, NOW + 1)
    return replace(plain, **more)


def under(profile: Profile) -> Rulebook:
    """A book in which every client lives under these rules."""
    return other_rules(BOOK, profiles=dict.fromkeys(PROFILES, profile))


def headers(
    authorization: str | None = None, dpop: str | None = None, certificate: bytes | None = None
) -> Headers:
    return Headers(authorization, dpop, certificate)


def params(**pairs: str) -> Params:
    """Parameters of a form."""
    return Params(pairs.items())


def query(**pairs: str) -> Params:
    """Parameters of a query string, percent-encoded."""
    return parse(urlencode(pairs, quote_via=quote, safe="").encode())


def told(error: OAuthError, profile: Profile = CLASSIC) -> tuple[int, dict[str, object]]:
    """Status and body that the profile answers this error with."""
    return profile.error_answer(error.code, error.reason, error.description, error.subject)


def flat(message: str, status: int = 400) -> tuple[int, dict[str, object]]:
    """The classic error with this message."""
    kind = {400: "OAuthException", 403: "OAuthForbiddenException"}[status]
    return status, {"code": status, "error_type": kind, "error_message": message}


assert pkce.s256(VERIFIER) == CHALLENGE, "the pair of RFC 7636 Appendix B"
