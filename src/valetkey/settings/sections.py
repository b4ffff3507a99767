"""Everything an operator can set, section by section: one frozen record."""

from typing import Literal

import msgspec
from msgspec import Struct

from valetkey.protocol.detail_type import DetailType
from valetkey.protocol.model import Scope
from valetkey.protocol.resource import Resource
from valetkey.protocol.trusted_issuer import TrustedIssuer

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
MOST_CACHED = 600  # seconds for which others may keep the keys that we show: twice what we tell them


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
    client_certificate_url: str = ""


class ConsentSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[consent] remember: whether a yes is remembered, or asked for every time."""

    remember: bool = True


class LoginSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[login] how many wrong passwords a name and a network address may try in `window` seconds; acr: what a login with
    a password is called in acr_values (RFC 9470)."""

    throttle: bool = True
    attempts_per_account: int = 10
    attempts_per_network: int = 100
    window: int = 300
    hash_threads: int = 0
    hash_queue: int = 200
    acr: tuple[str, ...] = ("urn:valetkey:acr:password",)


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
    """[api] rate_limit: calls an hour for each token of an app, unless the app was given another limit; acr_values and
    max_age: how, and how many seconds ago at most, people must have logged in for a call (RFC 9470)."""

    rate_limit: int = 5000
    acr_values: tuple[str, ...] = ()
    max_age: int = 0


class AccountSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[accounts] signup: whether people can make accounts themselves, and how many an hour from one network."""

    signup: bool = True
    signups_per_network: int = 60
    password_length: int = 15


class AppSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[apps] register: whether any account can register apps; profile: the one a new app gets unless it chooses;
    secret_failures: wrong secrets an app may show in a minute from one network before it must wait;
    unproven_requests: pushed and device requests that an app without a secret may leave in a minute from one."""

    register: bool = True
    profile: str = "oauth21"
    most_per_owner: int = 100
    secret_failures: int = 600
    unproven_requests: int = 120


class RegistrationSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[registration] how apps make themselves known: mode is off, open or token (`valetkey registration-tokens`);
    docs/settings.md says the rest."""

    mode: Literal["off", "open", "token"] = "off"
    profile: Literal["oauth20", "oauth21", "mcp"] = "oauth21"
    per_network: int = 20
    per_hour: int = 200
    changes_per_app: int = 60
    unused: int = 24 * 3600
    most: int = 10_000
    metadata_documents: bool = False
    documents_per_network: int = 60
    most_documents: int = 10_000
    allow_hosts: tuple[str, ...] = ()
    deny_hosts: tuple[str, ...] = ()


class FetchSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[fetch] allow: hosts that may have a private address; ca: a file of further certificate authorities."""

    allow: tuple[str, ...] = ()
    ca: str = ""


class DpopSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[dpop] require_nonce: whether DPoP proofs must carry a nonce of this server (RFC 9449 8)."""

    require_nonce: bool = False


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
    mcp: bool = False
    registration: RegistrationSettings = RegistrationSettings()
    fetch: FetchSettings = FetchSettings()
    dpop: DpopSettings = DpopSettings()
    log: LogSettings = LogSettings()
    resources: tuple[Resource, ...] = ()
    authorization_details: tuple[DetailType, ...] = ()
    trusted_issuers: tuple[TrustedIssuer, ...] = ()
    scopes: dict[str, Scope] = msgspec.field(default_factory=lambda: dict(WORDS))

    @property
    def public_url(self) -> str:
        """The issuer, or the address of this machine when none is set."""
        host = f"[{self.server.host}]" if ":" in self.server.host else self.server.host
        return self.issuer.rstrip("/") or f"http://{host}:{self.server.port}"

    @property
    def joining(self) -> RegistrationSettings:
        """[registration] as it holds: `mcp` opens what it leaves shut, under the rules that MCP has."""
        said = self.registration
        if not self.mcp:
            return said
        opened = "open" if said.mode == "off" else said.mode
        return msgspec.structs.replace(said, mode=opened, profile="mcp", metadata_documents=True)
