"""Whether the settings make sense, each and together."""

import re
import ssl
from ipaddress import ip_network
from urllib.parse import urlsplit

import msgspec

from valetkey.protocol.resource import Resource
from valetkey.protocol.rules import jwk
from valetkey.protocol.trusted_issuer import TrustedIssuer
from valetkey.settings.sections import MOST_CACHED, KeySettings, Settings, TokenSettings
from valetkey.settings.sources import SettingsError

FORMS = ("opaque", "jwt")
# Numbers of which none makes no sense; all others may be 0.
ONE_OR_MORE = frozenset(
    "server.workers server.connections_per_address server.head_deadline server.body_deadline server.idle_deadline "
    "login.attempts_per_account login.attempts_per_network login.window session.idle session.absolute "
    "tokens.implicit_lifetime".split()
)


def checked(settings: Settings) -> Settings:
    """The settings, if they make sense together. Raises SettingsError."""
    check_addresses(settings)
    for text in settings.server.trusted_proxies:
        try:
            ip_network(text, strict=False)
        except ValueError:
            raise SettingsError(f"server.trusted_proxies: {text!r} is no address or network") from None
    if settings.fetch.ca:
        try:
            ssl.create_default_context(cafile=settings.fetch.ca)
        except OSError as error:
            raise SettingsError(f"fetch.ca: no certificates can be read there: {error}") from None
    check_numbers(settings)
    check_resources(settings.resources)
    if len({kind.type for kind in settings.authorization_details}) < len(settings.authorization_details):
        raise SettingsError("authorization_details: one of the types stands there twice")
    check_issuers(settings.trusted_issuers)
    if "basic" not in settings.scopes:
        raise SettingsError("scopes: the catalogue must have basic")
    check_times(settings.keys, settings.tokens)
    return settings


def check_numbers(settings: Settings) -> None:
    """Raises SettingsError for a number that is too small to mean anything."""
    for section in settings.__struct_fields__:
        values = getattr(settings, section)
        named = msgspec.structs.asdict(values) if isinstance(values, msgspec.Struct) else {}
        for name, value in named.items():
            least = 1 if f"{section}.{name}" in ONE_OR_MORE else 0
            if isinstance(value, int) and value < least:
                raise SettingsError(f"{section}.{name}: {least} or more")


def check_addresses(settings: Settings) -> None:
    """Raises SettingsError for an address of our own that is none."""
    issuer = settings.issuer
    if "?" in issuer or "#" in issuer:
        raise SettingsError("issuer: no query and no fragment (RFC 8414 2)")
    if issuer and not is_base(issuer):
        raise SettingsError("issuer: a URL such as https://id.example.org")
    alias = settings.server.client_certificate_url
    if alias and not re.fullmatch(r"https://[^?#\s]+", alias):
        raise SettingsError("server.client_certificate_url: a URL such as https://mtls.id.example.org")


def is_base(url: str) -> bool:
    """Whether addresses can be made by writing something behind it: a host, perhaps a port and a path."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:  # half an IPv6 address, or a port that is none
        return False
    return named and re.fullmatch(r"https?://[^/@\s]+(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*/?", url) is not None


def check_issuers(issuers: tuple[TrustedIssuer, ...]) -> None:
    """Raises SettingsError."""
    for each in issuers:
        if each.subject not in ("id", "username") or not (each.jwks or each.jwks_uri.startswith("https://")):
            raise SettingsError(
                f"trusted_issuers: {each.issuer!r} needs jwks, or a jwks_uri with https; subject is id or username"
            )
        wrong = jwk.why_not_registrable(each.jwks) if each.jwks else None
        if wrong:
            raise SettingsError(f"trusted_issuers: jwks of {each.issuer!r} {wrong}")


def check_resources(resources: tuple[Resource, ...]) -> None:
    """Each is an absolute URI without a fragment (RFC 8707 2), and named once. Raises SettingsError."""
    for each in resources:
        if not re.fullmatch(r"[a-z][a-z0-9+.-]*:[!-\[\]-~]+", each.uri) or "#" in each.uri:
            raise SettingsError(f"resources: {each.uri!r} is no absolute URI without a fragment")
        if each.token_format not in FORMS:
            raise SettingsError(f"resources: the token_format of {each.uri} is opaque or jwt")
    if len({each.uri for each in resources}) < len(resources):
        raise SettingsError("resources: one of them stands there twice")


def check_times(keys: KeySettings, tokens: TokenSettings) -> None:
    """Raises SettingsError for times that do not go together."""
    if not MOST_CACHED <= keys.lead <= keys.lifetime // 2:
        raise SettingsError(f"keys.lead: {MOST_CACHED} or more, and at most half of keys.lifetime")
    if not 0 < tokens.refresh_lifetime <= tokens.refresh_absolute:
        raise SettingsError("tokens.refresh_lifetime: 1 or more, and at most tokens.refresh_absolute")
    if not 0 <= tokens.retry_window < tokens.refresh_lifetime:
        raise SettingsError("tokens.retry_window: 0 or more, and less than tokens.refresh_lifetime")
