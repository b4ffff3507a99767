"""Whether the settings make sense, each and together."""

import re
import ssl
from ipaddress import ip_network

from valetkey.protocol.resource import Resource
from valetkey.protocol.rules import jwk
from valetkey.protocol.trusted_issuer import TrustedIssuer
from valetkey.settings.sections import MOST_CACHED, KeySettings, Settings, TokenSettings
from valetkey.settings.sources import SettingsError

FORMS = ("opaque", "jwt")


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
    if settings.server.workers < 1:
        raise SettingsError("server.workers: 1 or more")
    check_resources(settings.resources)
    if len({kind.type for kind in settings.authorization_details}) < len(settings.authorization_details):
        raise SettingsError("authorization_details: one of the types stands there twice")
    check_issuers(settings.trusted_issuers)
    if "basic" not in settings.scopes:
        raise SettingsError("scopes: the catalogue must have basic")
    check_times(settings.keys, settings.tokens)
    return settings


def check_addresses(settings: Settings) -> None:
    """Raises SettingsError for an address of our own that is none."""
    issuer = settings.issuer
    if issuer and not issuer.startswith(("https://", "http://")):
        raise SettingsError("issuer: a URL such as https://id.example.org")
    if "?" in issuer or "#" in issuer:
        raise SettingsError("issuer: no query and no fragment (RFC 8414 2)")
    alias = settings.server.client_certificate_url
    if alias and not re.fullmatch(r"https://[^?#\s]+", alias):
        raise SettingsError("server.client_certificate_url: a URL such as https://mtls.id.example.org")


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
