"""The nouns, frozen: what the platform remembers. Times are whole seconds since 1970; digests are SHA-256."""

from msgspec import Struct


class Account(Struct, frozen=True):
    """A resource owner (RFC 6749 1.1). `canonical` is the one key of a name; `password` is an argon2id string."""

    id: int
    username: str
    canonical: str
    full_name: str
    email: str
    password: str
    created_at: int
    bio: str = ""
    website: str = ""
    picture: str = ""
    disabled_at: int | None = None
    version: int = 1


class Picture(Struct, frozen=True):
    """A profile picture as we re-encoded it, named by the hex digest of its bytes."""

    name: str
    account_id: int
    content: bytes


class ClientSecret(Struct, frozen=True):
    """What we keep of a client secret: its digest, the HMAC midstates for signed requests, and what helps its owner."""

    digest: bytes
    signing_key: bytes
    hint: str
    created_at: int
    expires_at: int | None = None


class Registration(Struct, frozen=True, omit_defaults=True):
    """What else a client registered, under the names of RFC 7591 2 and of the standards that add to it.

    No grant_types means those of its type; no token_endpoint_auth_method means any way of its profile to show a secret.
    Token exchange (RFC 8693) is allowed by pairs: `exchanges_of`, the clients whose tokens it may hand in, and
    `exchanges_for`, the audiences it may ask for; `impersonates` lets it act without being named.
    `jwks` is the text of the JWK Set; a server that takes tokens `introspects` those meant for nobody else (RFC 7662).
    registration_token: a digest (RFC 7592 3); fresh_until: when its document must be read again; moved_at: when it last
    named a redirect URI more; exchanged_after: what it has is younger; left_at: when it was told to go, and shut out.
    """

    grant_types: tuple[str, ...] = ()
    token_endpoint_auth_method: str = ""
    authorization_signed_response_alg: str = ""
    scope: tuple[str, ...] = ()
    optional_scope: tuple[str, ...] = ()
    exchanges_of: tuple[str, ...] = ()
    exchanges_for: tuple[str, ...] = ()
    impersonates: bool = False
    token_endpoint_auth_signing_alg: str = ""
    jwks: str = ""
    jwks_uri: str = ""
    request_object_signing_alg: str = ""
    require_signed_request_object: bool = False
    tls_client_auth_subject_dn: str = ""
    tls_client_auth_san_dns: str = ""
    tls_client_auth_san_uri: str = ""
    tls_client_auth_san_ip: str = ""
    tls_client_auth_san_email: str = ""
    introspects: bool = False
    introspection_signed_response_alg: str = ""
    access_token_format: str = ""
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False
    authorization_details_types: tuple[str, ...] = ()
    tls_client_certificate_bound_access_tokens: bool = False
    logo_uri: str = ""
    registration_token: bytes = b""
    fresh_until: int = 0
    moved_at: int = 0
    exchanged_after: int = 0
    left_at: int = 0


REGISTRATION = Registration()
GRANT_TYPES = {"service": ("client_credentials",)}
PERSONAL = ("authorization_code", "refresh_token")
Places = tuple[tuple[str, tuple[str, ...]], ...]  # servers by their URI, and the scope at each


class Client(Struct, frozen=True):
    """An application (RFC 6749 2). `type` is web, spa, native or service; only web and service can hold a secret.
    One that made itself known is NOBODY's, and goes at `lapses_at` unless somebody allows it something."""

    id: str
    owner_id: int
    name: str
    type: str
    profile: str
    redirect_uris: tuple[str, ...]
    created_at: int
    secrets: tuple[ClientSecret, ...] = ()
    description: str = ""
    website: str = ""
    allow_implicit: bool = False
    sandbox: bool = False
    testers: tuple[int, ...] = ()
    signed_requests: bool = False
    rate_limit: int | None = None
    disabled_at: int | None = None
    registered: Registration = REGISTRATION
    lapses_at: int | None = None
    version: int = 1

    @property
    def grant_types(self) -> tuple[str, ...]:
        """The grants it may use (RFC 7591 2): what it registered, or what apps of its type mostly need."""
        return self.registered.grant_types or GRANT_TYPES.get(self.type, PERSONAL)

    @property
    def confidential(self) -> bool:
        """Whether the client can keep a secret (RFC 6749 2.1)."""
        return self.type in ("web", "service")


class Session(Struct, frozen=True):
    """A browser in which an account is logged in."""

    digest: bytes
    account_id: int
    created_at: int
    last_seen_at: int
    expires_at: int
    user_agent: str = ""
    network: str = ""


class Consent(Struct, frozen=True):
    """What the owner has said yes to, remembered: one a pair of account and client. Saving it again replaces it.

    `refused` is what they left out of what was asked; `resource`, the servers beside our own API for which they said it
    (RFC 8707), each with what was allowed there.
    """

    account_id: int
    client_id: str
    scope: tuple[str, ...]
    granted_at: int
    refused: tuple[str, ...] = ()
    resource: Places = ()


class Ticket(Struct, frozen=True):
    """One confirmation screen shown: the request it asks about, bound to the session it was shown in. Used once."""

    digest: bytes
    session_digest: bytes
    query: bytes
    expires_at: int
    spent_at: int | None = None


class Terms(Struct, frozen=True, omit_defaults=True):
    """What an authorization or a token is narrowed or bound to; mostly nothing.

    scope: less than the authorization's (RFC 6749 6); resource: audiences (RFC 8707); details: authorization_details
    as JSON (RFC 9396); jkt, x5t: thumbprints of the sender's key or certificate (RFC 9449 6.1, RFC 8705 3.1);
    actor: who acts, as JSON (RFC 8693 4.1); client: who holds it after an exchange; auth_time, acr: how the person
    had logged in (RFC 9470).
    """

    scope: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    details: str = ""
    jkt: str = ""
    x5t: str = ""
    actor: str = ""
    client: str = ""
    auth_time: int = 0
    acr: str = ""


TERMS = Terms()
NOBODY = 0  # the account_id of what an app is granted for itself (RFC 6749 4.4)


class Authorization(Struct, frozen=True):
    """One act of granting: the root of every code and token that came from it. Revoking it ends them all."""

    id: int
    account_id: int
    client_id: str
    scope: tuple[str, ...]
    granted_at: int
    revoked_at: int | None = None
    terms: Terms = TERMS

    @property
    def own(self) -> bool:
        """Whether it is what an app is granted for itself (RFC 6749 4.4): one while it lasts, for any scope."""
        return self.account_id == NOBODY


class AuthorizationCode(Struct, frozen=True):
    """A code (RFC 6749 4.1.2) with everything it is bound to; the challenge is S256 or absent (RFC 7636)."""

    digest: bytes
    authorization: Authorization
    redirect_uri: str  # "" where the request named none (RFC 6749 4.1.3)
    expires_at: int
    challenge: str | None = None
    spent_at: int | None = None


class AccessToken(Struct, frozen=True):
    """An access token (RFC 6749 1.4); it lives while its authorization does, and until `expires_at` if there is one."""

    digest: bytes
    authorization: Authorization
    created_at: int
    expires_at: int | None = None
    terms: Terms = TERMS


class RefreshToken(Struct, frozen=True):
    """A refresh token (RFC 6749 1.5). Once it is spent it stays until its end, so that reuse is known."""

    digest: bytes
    authorization: Authorization
    created_at: int
    expires_at: int
    terms: Terms = TERMS
    spent_at: int | None = None


class SealedSuccessor(Struct, frozen=True):
    """The answer that a spent refresh token was given, sealed under that very token, for who did not hear it.

    `successor` is the digest of the refresh token in it, `terms` are those of the access token; `used_at` is when the
    successor was spent.
    """

    digest: bytes
    successor: bytes
    content: bytes
    expires_at: int
    terms: Terms = TERMS
    used_at: int | None = None


class Notice(Struct, frozen=True):
    """Access that we ended, which its person and the app's developer are told: one an authorization. `kind` is why."""

    authorization_id: int
    account_id: int
    client_id: str
    kind: str
    at: int


class PushedRequest(Struct, frozen=True):
    """An authorization request handed in beforehand (RFC 9126), by the digest of its request_uri. Answered once."""

    digest: bytes
    client_id: str
    query: bytes
    expires_at: int
    spent_at: int | None = None


class DeviceRequest(Struct, frozen=True):
    """A device waits for its person (RFC 8628 3.2); `said` is what they answered: nothing yet, "allow" or "deny".

    It asks every `interval` seconds, and asked last at `polled_at`; once it was allowed, it has an authorization.
    """

    digest: bytes
    user_code: str
    client_id: str
    scope: tuple[str, ...]
    expires_at: int
    interval: int
    terms: Terms = TERMS
    polled_at: int | None = None
    said: str = ""
    authorization: Authorization | None = None
    spent_at: int | None = None


class Scope(Struct, frozen=True):
    """A name of the scope catalogue, its plain words for the confirmation screen, whether it is sensitive, and whether
    people may leave it out whichever app asks."""

    name: str
    words: str
    sensitive: bool = False
    optional: bool = False


Catalogue = dict[str, Scope]
