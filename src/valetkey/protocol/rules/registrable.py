"""May a client register this? The same for console, command line and clients themselves (RFC 7591 2, D3, D6)."""

from collections.abc import Mapping

from valetkey.protocol.errors import InvalidClientMetadata, InvalidRedirectUri, OAuthError
from valetkey.protocol.model import Registration
from valetkey.protocol.params import printable
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import certificate, jwk, redirect_uri
from valetkey.protocol.rules.scope import ascii_words, widened

LONGEST_URL = 500
# The grants through which a person is asked; by the others a client gets tokens without anybody.
ASKING = frozenset({"authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"})
SECRET_ALGORITHMS = frozenset({"HS256"})
BY_KEY = frozenset({"private_key_jwt", "self_signed_tls_client_auth"})
BOUND = "tls_client_certificate_bound_access_tokens"
UNHEARD = "is nothing to go by here: no certificate reaches this server (server.client_certificate_header)"
UNKNOWN_HERE = "is nothing that this profile knows"
WIRE = {"name": "client_name", "website": "client_uri", "type": "application_type"}


def problems(
    kind: str,
    registered: Registration,
    profile: Profile,
    signing: frozenset[str],
    by_certificate: frozenset[str],
) -> dict[str, str | None]:
    """What is wrong with what a client of this type registers: name of RFC 7591 -> words that go on after it.

    signing: what this server signs with; by_certificate: the methods for which certificates reach it.
    """
    public, form = kind not in ("web", "service"), registered.access_token_format
    by_secret = registered.token_endpoint_auth_method == "client_secret_jwt"
    own = profile.assertions.algorithms
    algorithms = {
        "token_endpoint_auth_signing_alg": SECRET_ALGORITHMS if by_secret else own,
        "request_object_signing_alg": own,
        "authorization_signed_response_alg": signing,
        "introspection_signed_response_alg": signing,
    }
    return {
        "grant_types": why_not_grants(public, registered.grant_types, profile),
        "token_endpoint_auth_method": why_not_method(public, registered, profile, by_certificate),
        "jwks": why_not_keys(registered),
        "jwks_uri": why_not_url(registered.jwks_uri),
        "logo_uri": why_not_url(registered.logo_uri),
        "optional_scope": why_not_optional(registered, profile),
        "access_token_format": None if form in ("", "jwt") else "must be jwt or empty",
        **{name: why_not_algorithm(getattr(registered, name), those) for name, those in algorithms.items()},
        BOUND: None if by_certificate or not getattr(registered, BOUND) else UNHEARD,
        **{name: UNKNOWN_HERE if getattr(registered, name) else None for name in unknown(profile)},
    }


def why_not_optional(registered: Registration, profile: Profile) -> str | None:
    """What can be left out is part of what is asked for, and the app must be able to learn of it."""
    if registered.optional_scope and not profile.partial_consent:
        return UNKNOWN_HERE
    beyond = widened(registered.optional_scope, registered.scope)
    return f"has {ascii_words(beyond[0])}, which scope does not name" if registered.scope and beyond else None


def unknown(profile: Profile) -> tuple[str, ...]:
    """The switches that turn nothing on under this profile."""
    bound = ("dpop_bound_access_tokens", BOUND)
    pushed = ("require_pushed_authorization_requests", "require_signed_request_object")
    return (*(bound if profile.sender == "never" else ()), *(pushed if profile.pushing == "never" else ()))


def why_not_grants(public: bool, names: tuple[str, ...], profile: Profile) -> str | None:
    """What is wrong with the grants."""
    beyond = [name for name in names if name not in profile.grants]
    if beyond:
        return f"cannot have {printable(beyond[0])}: this profile does not know it"
    if public and not ASKING.issuperset(names):
        return "cannot have a grant that needs a client which proves who it is"
    return None


def why_not_algorithm(name: str, allowed: frozenset[str]) -> str | None:
    """What is wrong with an algorithm to sign with; none at all leaves the choice."""
    if not name or name in allowed:
        return None
    return "must be one of " + ", ".join(sorted(allowed)) if allowed else UNKNOWN_HERE


def why_not_method(
    public: bool, registered: Registration, profile: Profile, by_certificate: frozenset[str]
) -> str | None:
    """What is wrong with the way it proves who it is: a secret nobody asks for protects nobody (CVE-2026-44476)."""
    method = registered.token_endpoint_auth_method
    if not method:
        return None
    if method not in profile.client_auth:
        return "must be one of " + ", ".join(sorted(profile.client_auth))
    if method in certificate.METHODS - by_certificate:
        return UNHEARD
    if (method == "none") is not public:
        return "must be none, since this type of app keeps no secret" if public else "must not be none here"
    return certificate.why_not_registrable(registered) if method == "tls_client_auth" else None


def why_not_keys(registered: Registration) -> str | None:
    """What is wrong with the keys."""
    if registered.jwks and registered.jwks_uri:
        return "must not be there beside jwks_uri (RFC 7591 2)"
    if registered.jwks:
        return jwk.why_not_registrable(registered.jwks)
    if registered.jwks_uri:
        return None
    if registered.token_endpoint_auth_method in BY_KEY:
        return "or jwks_uri is needed to prove who the client is"
    if registered.require_signed_request_object:
        return "or jwks_uri is needed to sign requests"
    return None


def why_not_url(url: str) -> str | None:
    """What is wrong with an https address; an empty one is fine."""
    if not url:
        return None
    if len(url) > LONGEST_URL:
        return f"is longer than {LONGEST_URL} characters"
    if not url.startswith("https://"):
        return "must start with https://"
    return redirect_uri.why_not_web(url, False)


def refusal(wrong: Mapping[str, str]) -> OAuthError:
    """The error for what is wrong, field by field: the first of it, in the names of RFC 7591."""
    name, words = next(iter(wrong.items()))
    if "redirect_uris" in wrong:
        return InvalidRedirectUri("redirect_uri_bad", plain(f"redirect_uris {wrong['redirect_uris']}"))
    return InvalidClientMetadata("metadata_bad", plain(f"{WIRE.get(name, name)} {words}"))


def plain(words: str) -> str:
    """Words as an error may hold them: printable ASCII without quotes and backslashes (RFC 6749 5.2)."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in words)
