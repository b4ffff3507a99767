"""Everything an operator can set: one frozen record, read once from valetkey.toml, the environment and flags."""

import os
import re
import ssl
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from valetkey.protocol.model import Scope, TrustedIssuer
from valetkey.protocol.resource import Resource

WORDS = {
    "basic": Scope("basic", "See your profile: your name, picture, bio and website"),
    "public_content": Scope("public_content", "See public profiles and media on your behalf"),
    "follower_list": Scope(
        "follower_list", "See the lists of who you follow and who follows you", sensitive=True
    ),
    "comments": Scope("comments", "Write and delete comments in your name", sensitive=True),
    "relationships": Scope("relationships", "Follow and unfollow accounts in your name", sensitive=True),
    "likes": Scope("likes", "Like and unlike things in your name", sensitive=True),
}


TABLES = ("resources", "scopes", "trusted_issuers")
FORMS = ("opaque", "jwt")
MOST_CACHED = 600  # seconds for which others may keep the keys that we show: twice what we tell them


class SettingsError(ValueError):
    """A setting is unknown or has a value it cannot have; the message names it."""


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[server] where and how to listen. Deadlines in seconds; sizes in bytes."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    connections_per_address: int = 100
    head_deadline: int = 10
    body_deadline: int = 15
    idle_deadline: int = 65
    trusted_proxies: tuple[str, ...] = ()
    client_certificate_header: str = ""
    client_certificate_verified_header: str = ""


class ConsentSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[consent] remember: whether a yes is remembered, or asked for every time."""

    remember: bool = True


class LoginSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[login] how many wrong passwords a name and a network address may try in `window` seconds."""

    throttle: bool = True
    attempts_per_account: int = 10
    attempts_per_network: int = 100
    window: int = 300
    hash_threads: int = 0
    hash_queue: int = 200


class SessionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[session] seconds until a login ends: unused, and in any case."""

    idle: int = 24 * 3600
    absolute: int = 14 * 24 * 3600


class TokenSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[tokens] implicit_lifetime: seconds a token of the client-side flow lives; refresh_lifetime: seconds until an
    app that does not come back must ask its people again, refresh_absolute: until every app must; retry_window: seconds
    in which an app that did not hear its new tokens may ask for them again."""

    implicit_lifetime: int = 3600
    refresh_lifetime: int = 30 * 24 * 3600
    refresh_absolute: int = 180 * 24 * 3600
    retry_window: int = 120


class KeySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[keys] algorithms: what the server signs with, the first where nobody names one; lifetime: seconds a key signs;
    lead: seconds it is shown before it signs; master_file: where the key is that seals them."""

    algorithms: tuple[str, ...] = ("ES256",)
    lifetime: int = 90 * 24 * 3600
    lead: int = 24 * 3600
    master_file: str = ""


class ApiSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[api] rate_limit: calls an hour for each token of an app, unless the app was given another limit."""

    rate_limit: int = 5000


class AccountSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[accounts] signup: whether people can make accounts themselves, and how many an hour from one network."""

    signup: bool = True
    signups_per_network: int = 60
    password_length: int = 15


class AppSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[apps] register: whether any account can register apps; profile: the one a new app gets unless it chooses;
    secret_failures: wrong secrets an app may show in a minute from one network before it must wait."""

    register: bool = True
    profile: str = "classic"
    most_per_owner: int = 100
    secret_failures: int = 600


class FetchSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[fetch] allow: hosts that may have a private address; ca: a file of further certificate authorities."""

    allow: tuple[str, ...] = ()
    ca: str = ""


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[log] level: debug, info, warning or error; json: one JSON object a line instead of words."""

    level: str = "info"
    json: bool = False


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings. `issuer` is the public base URL without a trailing slash (RFC 8414 2)."""

    database: str = "sqlite:///valetkey.db"
    issuer: str = ""
    name: str = "valetkey"
    accent: str = "#0e6b5c"
    server: ServerSettings = ServerSettings()
    consent: ConsentSettings = ConsentSettings()
    login: LoginSettings = LoginSettings()
    session: SessionSettings = SessionSettings()
    tokens: TokenSettings = TokenSettings()
    keys: KeySettings = KeySettings()
    api: ApiSettings = ApiSettings()
    accounts: AccountSettings = AccountSettings()
    apps: AppSettings = AppSettings()
    fetch: FetchSettings = FetchSettings()
    log: LogSettings = LogSettings()
    resources: tuple[Resource, ...] = ()
    trusted_issuers: tuple[TrustedIssuer, ...] = ()
    scopes: dict[str, Scope] = msgspec.field(default_factory=lambda: dict(WORDS))

    @property
    def public_url(self) -> str:
        """The issuer, or the address of this machine when none is set."""
        return self.issuer.rstrip("/") or f"http://{self.server.host}:{self.server.port}"


def load(
    file: Path | None = None, environment: dict[str, str] | None = None, flags: dict[str, Any] | None = None
) -> Settings:
    """Settings out of a TOML file (default: valetkey.toml if it is there), then the environment, then flags.

    flags: dotted names such as "server.port". Raises SettingsError.
    """
    found: dict[str, Any] = read_file(file)
    for name, value in settable().items():
        text = (os.environ if environment is None else environment).get(env_name(name))
        if text is not None:
            put(found, name, from_text(name, text, value))
    for name, value in (flags or {}).items():
        if value is not None:
            put(found, name, value)
    try:
        settings = msgspec.convert(found, Settings, strict=True)
    except msgspec.ValidationError as error:
        raise SettingsError(f"in the settings: {error}") from None
    return checked(settings)


def read_file(file: Path | None) -> dict[str, Any]:
    """The TOML file as a tree; its scopes become records of the catalogue."""
    path = file or Path(os.environ.get("VALETKEY_CONFIG", "valetkey.toml"))
    if file is None and not path.exists():
        return {}
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from None
    scopes = tree.get("scopes")
    if isinstance(scopes, dict):
        for name, said in scopes.items():
            scopes[name] = {"name": name, **(said if isinstance(said, dict) else {"words": said})}
    return tree


def settable() -> dict[str, Any]:
    """Every setting but the tables: dotted name -> default."""
    names: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(Settings()).items():
        if isinstance(value, Struct):
            names.update({f"{name}.{key}": inner for key, inner in msgspec.structs.asdict(value).items()})
        elif name not in TABLES:
            names[name] = value
    return names


def env_name(name: str) -> str:
    """consent.remember -> VALETKEY_CONSENT_REMEMBER"""
    return "VALETKEY_" + name.replace(".", "_").upper()


def from_text(name: str, text: str, default: Any) -> Any:
    """A value of the environment, of the kind its setting has."""
    if isinstance(default, bool):
        if text.lower() in ("on", "true", "yes", "1"):
            return True
        if text.lower() in ("off", "false", "no", "0"):
            return False
        raise SettingsError(f"{env_name(name)}: say on or off, not {text!r}")
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise SettingsError(f"{env_name(name)}: a number, not {text!r}") from None
    if isinstance(default, tuple):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def put(tree: dict[str, Any], name: str, value: Any) -> None:
    """Set a dotted name in the tree."""
    section, _, key = name.rpartition(".")
    if section:
        tree.setdefault(section, {})[key] = value
    else:
        tree[key] = value


def checked(settings: Settings) -> Settings:
    """The settings, if they make sense together. Raises SettingsError."""
    issuer = settings.issuer
    if issuer and not issuer.startswith(("https://", "http://")):
        raise SettingsError("issuer: a URL such as https://id.example.org")
    if "?" in issuer or "#" in issuer:
        raise SettingsError("issuer: no query and no fragment (RFC 8414 2)")
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
    check_issuers(settings.trusted_issuers)
    if "basic" not in settings.scopes:
        raise SettingsError("scopes: the catalogue must have basic")
    check_times(settings.keys, settings.tokens)
    return settings


def check_issuers(issuers: tuple[TrustedIssuer, ...]) -> None:
    """Raises SettingsError."""
    for each in issuers:
        if each.subject not in ("id", "username") or not (each.jwks or each.jwks_uri.startswith("https://")):
            raise SettingsError(
                f"trusted_issuers: {each.issuer!r} needs jwks, or a jwks_uri with https; subject is id or username"
            )


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
