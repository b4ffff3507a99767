"""Profile: every rule that may differ between clients, a field each, with its source."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

ErrorAnswer = tuple[int, dict[str, object]]


class Person(Struct, frozen=True):
    """What an answer may tell of the account that said yes; the picture is a whole address."""

    id: str
    username: str
    full_name: str
    profile_picture: str


class TokenAnswer(Struct, frozen=True):
    """What a granted token request is told (RFC 6749 5.1); `lifetime` in seconds, None when there is no end."""

    token: str
    scope: tuple[str, ...]
    lifetime: int | None
    person: Person | None = None
    token_type: str = "Bearer"
    refresh_token: str = ""
    issued_token_type: str = ""
    details: str = ""


class Assertions(Struct, frozen=True):
    """What JWTs that clients sign must be like: seconds that assertions may live, and the algorithms.

    issuer_only: an assertion names the issuer alone as its audience (FAPI 2.0 5.3.2.1) and not the endpoint
    (RFC 7523 3, RFC 9126 2); dated: a request object says from when until when it is good (FAPI 2.0 Message Signing
    5.3.1).
    """

    lifetime: int
    algorithms: frozenset[str]
    issuer_only: bool = False
    dated: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules a client lives under. A field is here only because two shipped profiles differ in it."""

    name: str
    grants: frozenset[str]
    """grant_type values (RFC 6749 4)."""
    response_types: frozenset[str]
    """response_type values (RFC 6749 3.1.1)."""
    response_modes: frozenset[str]
    """response_mode values (JARM 2.3); none: the parameter is not known, so it is not looked at."""
    pushing: Literal["never", "may", "must"]
    """Whether authorization requests are handed in beforehand (RFC 9126; FAPI 2.0 5.3.2.2)."""
    sender: Literal["never", "may", "must"]
    """Whether tokens are bound to a key or certificate of who asks for them (RFC 9449; FAPI 2.0 5.3.2.1)."""
    resources: Literal["never", "may", "must"]
    """Whether requests name the servers that tokens are for (RFC 8707; MCP wants it)."""
    prompts: bool
    """Whether prompt, max_age and acr_values are heard (RFC 9470; OIDC Core 3.1.2.1)."""
    details: bool
    """Whether authorization_details are read (RFC 9396)."""
    redirect_matches: Callable[[str, str], bool]
    """(registered, given) -> whether the given redirect_uri may be used (RFC 9700 2.1; classic.md D8)."""
    loopback_ports: bool
    """Whether a native app may come back to any port of its own machine (RFC 8252 7.3)."""
    redirect_named: bool
    """Whether each request names its redirect_uri (FAPI 2.0 5.3.2.2; classic.md D3), or a client that has only one may
    leave it out (RFC 6749 3.1.2.3)."""
    redirect_again: bool
    """Whether the token request must repeat the redirect_uri (RFC 6749 4.1.3; OAuth 2.1 10.2 dropped it)."""
    plain_http: bool
    """Whether http redirect URIs beyond loopback can be registered (OAuth 2.1 8.4.2)."""
    pkce_required: bool
    """Whether a code request must carry a challenge (RFC 7636; OAuth 2.1 7.5.2)."""
    partial_consent: bool
    """Whether a person may leave out some of what is asked; the answer then says what they allowed (RFC 6749 3.3)."""
    always_scope: tuple[str, ...]
    """Scopes that every authorization has (the origin document: others are asked for beside `basic`)."""
    client_auth: frozenset[str]
    """Names of client authentication methods (RFC 6749 2.3, RFC 7591 2)."""
    assertions: Assertions
    """What JWTs that clients sign must be like."""
    credentials_twice: bool
    """Whether a Basic header beside credentials in the body is borne, if both say the same (classic.md 3)."""
    token_path: str
    """Where the client's token endpoint is."""
    token_form: str
    """Which form of codes and tokens server/mint.py makes."""
    code_lifetime: int
    """Seconds a code lives (RFC 6749 4.1.2: ten minutes at most; FAPI 2.0 5.3.2.1: 60)."""
    token_lifetime: int | None
    """Seconds an access token out of a code lives; None: until it is revoked (classic.md 3)."""
    refresh_rotates: bool
    """Whether a refresh token is used once and comes with a successor (RFC 9700 4.14.2; FAPI 2.0 5.3.2.1: it stays)."""
    token_in_query: bool
    """Whether an API call may carry its token in the query (RFC 6750 2.3; OAuth 2.1 5.1 dropped it)."""
    errors_redirected: bool
    """Whether errors after the redirect_uri is trusted go to the client (RFC 6749 4.1.2.1) or are shown."""
    denial: tuple[tuple[str, str], ...]
    """What the redirect says when the person said no."""
    issuer_in_answer: bool
    """Whether `iss` is in every authorization answer (RFC 9207)."""
    error_answer: Callable[[str, str, str, str], ErrorAnswer]
    """(code, reason, description, subject) -> status and JSON body of an error."""
    token_answer: Callable[[TokenAnswer], dict[str, object]]
    """JSON body of a granted token request (RFC 6749 5.1; classic.md D10)."""
