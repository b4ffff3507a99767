"""The API calls of the origin, /v1/users/...: whose token is this, and may it see that? (classic.md 4, RFC 6750)"""

import re

from msgspec import Struct

from valetkey.protocol.changes import Changes
from valetkey.protocol.errors import AccessDenied, InsufficientUserAuthentication, InvalidToken, OAuthError
from valetkey.protocol.facts import BearerFacts, Known
from valetkey.protocol.model import TERMS, AccessToken, Account, Terms
from valetkey.protocol.params import Params
from valetkey.protocol.profile import ErrorAnswer, Profile
from valetkey.protocol.profiles.classic import error_answer
from valetkey.protocol.rules import claims, sender, signed_request, step_up
from valetkey.protocol.rules.checksum import misspelt
from valetkey.protocol.rules.digest import digest
from valetkey.protocol.rules.dpop import Call
from valetkey.protocol.rules.headers import Headers
from valetkey.protocol.rules.sender import Shown

BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
NEEDED = "basic"


class Denied(Exception):
    """The call is refused with this status, JSON body and WWW-Authenticate; `reason` is for the operator's log."""

    def __init__(self, reason: str, answer: ErrorAnswer, challenge: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.status, self.body = answer
        self.challenge = challenge


def denied(reason: str, kind: str, message: str, status: int = 400, challenge: str = "") -> Denied:
    """A refusal in the API's own form: everything under `meta`."""
    meta = {"error_type": kind, "code": status, "error_message": message}
    return Denied(reason, (status, {"meta": meta}), challenge)


class ApiRequest(Struct, frozen=True):
    """An API call that says what must be looked up: the digest of its token, and how that is shown."""

    params: Params
    digest: bytes
    shown: Shown


class Accepted(Struct, frozen=True):
    """A token is shown with what it is bound to; that proof is used up now."""

    changes: Changes


def read(params: Params, headers: Headers) -> ApiRequest:
    """The one token of a call, from the query or the Authorization header (RFC 6750 2, RFC 9449 7.1). Raises Denied."""
    token = params.get("access_token")
    scheme, _, shown = (headers.authorization or "").partition(" ")
    scheme = scheme.lower()
    if scheme in ("bearer", "dpop"):
        if token is not None:
            raise denied("token_twice", "OAuthParameterException", "The access_token was sent in two places.")
        if not BEARER.fullmatch(shown):
            raise invalid_token("bearer_malformed")
        token = shown
    if token is None:
        message = "Missing client_id or access_token URL parameter."
        raise denied("token_missing", "OAuthParameterException", message)
    whole = Shown(scheme, token, headers)
    if misspelt(token):
        raise dead_token("token_misspelt", whole)
    return ApiRequest(params, digest(token), whole)


def decide(
    request: ApiRequest, facts: BearerFacts | None, path: str, now: int
) -> tuple[BearerFacts, Account]:
    """The facts again and whose they are, if the token lives and the call is allowed. Raises Denied.

    path: the endpoint without version and .json, which a signed request signs.
    """
    if facts is None:
        raise dead_token("token_unknown", request.shown)
    token, authorization = facts.token, facts.token.authorization
    ended = facts.ended(now)
    if ended:
        raise dead_token(ended, request.shown)
    if facts.account is None:
        raise dead_token("token_nobodys", request.shown)
    if facts.client.signed_requests:
        try:
            signed_request.check(facts.client, path, request.params, now)
        except AccessDenied as error:
            flat = error_answer(error.code, error.reason, error.description, error.subject)
            raise Denied(error.reason, flat) from None
    if NEEDED not in (token.terms.scope or authorization.scope):
        raise missing_scope(NEEDED, request.shown, token.terms)
    return facts, facts.account


def check_sender(shown: Shown, facts: BearerFacts, call: Call, known: Known, now: int) -> Accepted:
    """Who calls holds what the token is bound to (RFC 9449 7, RFC 8705 3). Raises Denied."""
    bound = facts.token.terms
    try:
        return Accepted(sender.check_token(shown, bound, call, known, now))
    except OAuthError as error:
        by_key = bool(bound.jkt) or shown.scheme == "dpop"
        algorithms = [f'algs="{" ".join(sorted(call.algorithms))}"'] if by_key else []
        raise challenged(error, shown, bound, algorithms) from None


def challenged(error: OAuthError, shown: Shown, bound: Terms, more: list[str]) -> Denied:
    """A refusal that says what to come with instead (RFC 6750 3)."""
    scheme = "DPoP" if bound.jkt or shown.scheme == "dpop" else "Bearer"
    parts = [f'error="{error.code}"', f'error_description="{error.description}"', *more]
    challenge = f"{scheme} {', '.join(parts)}"
    return denied(error.reason, "OAuthAccessTokenException", f"{error.description}.", 401, challenge)


def check_audience(shown: Shown, token: AccessToken, issuer: str) -> None:
    """A token that was asked for other servers is none for this one (RFC 8707 2, C14). Raises Denied."""
    named = claims.resources(token)
    if named and issuer not in named:
        raise dead_token("token_elsewhere", shown)


def check_login(shown: Shown, token: AccessToken, acr: tuple[str, ...], max_age: int, now: int) -> None:
    """The login behind the token does for a call, if the operator wants more than any (RFC 9470 3). Raises Denied."""
    try:
        step_up.check(token, acr, max_age, now)
    except InsufficientUserAuthentication as error:
        raise challenged(error, shown, token.terms, step_up.challenge(acr, max_age)) from None


def check_place(request: ApiRequest, profile: Profile) -> None:
    """A token in the query ends up in logs: only apps of a profile that has it so may send it there. Raises Denied."""
    if request.params.get("access_token") is not None and not profile.token_in_query:
        message = "Send the access_token in the Authorization header."
        raise denied("token_in_query", "OAuthParameterException", message)


def invalid_token(reason: str) -> Denied:
    """The one refusal for every token that is not alive, in the origin's words."""
    return denied(reason, "OAuthAccessTokenException", "The access_token provided is invalid.")


def dead_token(reason: str, shown: Shown) -> Denied:
    """The same; who shows a token of today's forms is told to get another as RFC 6750 3.1 says."""
    if not of_today(shown):
        return invalid_token(reason)
    error = InvalidToken(reason, "the access token is not alive, or not for this server")
    return challenged(error, shown, TERMS, [])


def of_today(shown: Shown) -> bool:
    """Whether the token has one of today's forms."""
    return shown.token.startswith("vk_at_") or shown.token.count(".") == 2


def missing_scope(name: str, shown: Shown, bound: Terms) -> Denied:
    """The token lives, but the person did not allow this; today's clients are told what to ask for (RFC 6750 3.1)."""
    message = (
        f"This request requires scope={name}, but this access_token is not authorized with this scope. "
        f"The user must re-authorize your application with scope={name} to be granted the required permissions."
    )
    if not of_today(shown):
        return denied("scope_missing", "OAuthPermissionsException", message)
    scheme = "DPoP" if bound.jkt else "Bearer"
    words = f'error="insufficient_scope", error_description="this call needs another scope", scope="{name}"'
    return denied("scope_missing", "OAuthPermissionsException", message, 403, f"{scheme} {words}")


def rate_limited(limit: int) -> Denied:
    """The app has made its calls of this hour."""
    message = f"You have exceeded the maximum number of requests per hour. Your limit is {limit}."
    return denied("rate_limited", "OAuthRateLimitException", message, 429)


def no_such_user() -> Denied:
    """The account asked for is not there."""
    return denied("user_unknown", "APINotFoundError", "this user does not exist")


def bad_parameters(message: str) -> Denied:
    """The query string itself could not be read."""
    return denied("parameters_bad", "OAuthParameterException", message)
