"""The authorization endpoint (RFC 6749 3.1): a column of checks, and one more fact each time it is asked."""

from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.changes import Changes, Hold, Save, Spend
from valetkey.protocol.decision import (
    Answer,
    AskConsent,
    AskLogin,
    AuthorizeDecision,
    Choice,
    ErrorPage,
    Refuse,
)
from valetkey.protocol.errors import (
    ConsentRequired,
    InvalidClient,
    InvalidRequest,
    LoginRequired,
    OAuthError,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from valetkey.protocol.facts import AuthorizeFacts
from valetkey.protocol.model import NOBODY, Account, Client, Consent, PushedRequest, Session, Terms
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.response_types import RESPONSE_TYPES
from valetkey.protocol.rules import (
    consent,
    details,
    dpop,
    pkce,
    prompt,
    pushed_request,
    redirect_uri,
    request_object,
    resource,
    response_mode,
)
from valetkey.protocol.rules import scope as scopes
from valetkey.protocol.rules.consent import Said
from valetkey.protocol.rules.grant import shown_lifetime
from valetkey.protocol.rules.owner import check_sandbox, living_account
from valetkey.protocol.rules.prompt import Wanted
from valetkey.protocol.rules.response_type import ResponseType, refusal
from valetkey.protocol.rules.rulebook import Rulebook


def decide(
    params: Params, facts: AuthorizeFacts, said: Said | None, book: Rulebook, now: int
) -> AuthorizeDecision:
    """What becomes of an authorization request. `said` is what the person answered, if they were asked.

    Client and redirect_uri come before everything else: until both are trusted, nothing is redirected (R3).
    """
    profile = book.default
    try:
        client = known_client(params, facts)
        profile = book.profiles[client.profile]
        params = pushed_request.resolve(params, client, profile, facts.pushed, now if said is None else None)
        if facts.pushed is None:  # what was pushed was signed there
            params = request_object.resolve(params, client, facts.keys, book, now)
        where = trusted_redirect(params, client, profile)
    except OAuthError as error:
        return ErrorPage(error, profile, facts.client)
    request = Trusted(params, client, profile, where, book, facts.signs)
    try:
        decision = decide_trusted(request, facts, said, now)
    except OAuthError as error:
        decision = refused(request, error, facts, now)
    return answered(decision, request, facts, now) if isinstance(decision, Answer | Refuse) else decision


@dataclass(frozen=True, slots=True)
class Trusted:
    """An authorization request whose client and redirect_uri are settled; `signs` as in AuthorizeFacts."""

    params: Params
    client: Client
    profile: Profile
    redirect_uri: str
    book: Rulebook
    signs: bool = True


class Requested(Struct, frozen=True):
    """What is asked for, once nothing is wrong with it."""

    kind: ResponseType
    scope: tuple[str, ...]
    challenge: str | None
    terms: Terms
    wanted: Wanted


def read_request(request: Trusted) -> Requested:
    """The checks that need no person; a request must pass them when it is pushed (RFC 9126 2.1). Raises OAuthError."""
    params, client, profile = request.params, request.client, request.profile
    kind = allowed_response_type(request)
    response_mode.check(params, profile, request.signs)
    scope = scopes.read(params.get("scope"), profile.always_scope, request.book.catalogue)
    scopes.check_registered(scope, client)
    challenge = pkce.read_challenge(params, profile.pkce_required or needs_pkce(client, kind, profile))
    wanted = prompt.read(params, profile, request.book)
    return Requested(kind, scope, challenge, narrowing(request), wanted)


def narrowing(request: Trusted) -> Terms:
    """What the code, and all that comes from it, is bound to and for. Raises OAuthError."""
    params, profile = request.params, request.profile
    jkt = "" if profile.sender == "never" else dpop.read_thumbprint(params.get("dpop_jkt"))
    return Terms(
        resource=resource.read(params, profile, request.book),
        details=details.read(params, request.client, profile, request.book),
        jkt=jkt,
    )


def refused(request: Trusted, error: OAuthError, facts: AuthorizeFacts, now: int) -> AuthorizeDecision:
    """Where an error goes once the redirect_uri is trusted (RFC 6749 4.1.2.1)."""
    client, profile, where = request.client, request.profile, request.redirect_uri
    if not profile.errors_redirected:
        return ErrorPage(error, profile, client)
    told = prompt.silent(request.params, profile) or living_account(facts, now) is not None
    if not told:  # a link alone sends nobody to an app's site (RFC 9700 4.11.2)
        return AskLogin(client, where)
    pairs = (("error", error.code), ("error_description", error.description))
    state = request.params.as_sent("state")
    return Refuse(refusal(where, pairs, state, profile, request.book.issuer), error.reason, client)


def answered(
    decision: Answer | Refuse, request: Trusted, facts: AuthorizeFacts, now: int
) -> AuthorizeDecision:
    """What goes back to the client: signed if it asked for that, and once, however often it took to ask (RFC 9126)."""
    profile = request.profile
    taken = facts.pushed if profile.pushing != "never" else None
    spends = () if taken is None else (Spend(PushedRequest, taken.digest, now),)
    signs = request.signs and response_mode.signed(request.params, profile)
    return replace(
        decision, changes=(*decision.changes, *spends), signs=request.redirect_uri if signs else ""
    )


def present(
    request: Trusted, wanted: Wanted, facts: AuthorizeFacts, said: Said | None, now: int
) -> Account | AskLogin:
    """Who is there, if their login does. Raises LoginRequired, for the trusted redirect_uri alone (A20)."""
    account, session = living_account(facts, now), facts.session
    if account is not None and session is not None:
        due = prompt.login_due(wanted, session, facts.asked_at, now)
        if said is not None or not due:  # whoever answers was there when they were asked
            return account
    if wanted.silent:
        raise LoginRequired("login_required", "nobody is logged in, or not lately enough")
    since = now if wanted.login or wanted.max_age is not None else 0
    return AskLogin(request.client, request.redirect_uri, asked_at=since)


def dated(terms: Terms, wanted: Wanted, session: Session | None) -> Terms:
    """When and how the person had logged in, for a client that asked (RFC 9470 6)."""
    if session is None or not wanted.dated:
        return terms
    return replace(terms, auth_time=session.created_at, acr=wanted.acr)


def standing(
    request: Trusted, asked: Requested, known: Consent | None
) -> tuple[Choice, Consent | None, tuple[str, ...] | None]:
    """What can be left out, what was said before as it counts now, and what is still to ask. Raises ConsentRequired."""
    client, book = request.client, request.book
    choice = consent.choice(client, request.profile, asked.scope, known, book.catalogue)
    before = consent.standing(known, client, choice)
    always = asked.wanted.consent or bool(asked.terms.details)  # a yes to one payment is none to the next
    always = always or consent.further(asked.scope, resource.others(asked.terms.resource, book), before)
    always = always or consent.asks_always(client, request.redirect_uri, asked.kind.in_front)
    new = consent.still_to_ask(client, asked.scope, before, book.remember_consent, always)
    if new is not None and asked.wanted.silent:
        raise ConsentRequired("consent_required", "the person must be asked first")
    return choice, before, new


def decide_trusted(request: Trusted, facts: AuthorizeFacts, said: Said | None, now: int) -> AuthorizeDecision:
    """The rest of the column. Raises OAuthError."""
    client, profile, book = request.client, request.profile, request.book
    asked = read_request(request)
    kind, scope, elsewhere = asked.kind, asked.scope, resource.others(asked.terms.resource, book)
    account = present(request, asked.wanted, facts, said, now)
    if isinstance(account, AskLogin):
        return account
    check_sandbox(client, account)
    state = request.params.as_sent("state")
    if said is not None and not said.allowed:
        where = refusal(request.redirect_uri, profile.denial, state, profile, book.issuer)
        return Refuse(where, "user_denied", client)
    lifetime = book.implicit_lifetime if kind.in_front else shown_lifetime(client, profile)
    choice, before, new = standing(request, asked, facts.consent)
    if new is not None and said is None:
        who, told = (client, facts.developer, account), asked.terms.details
        return AskConsent(*who, request.redirect_uri, scope, new, lifetime, choice, (), told, elsewhere)
    allowed = consent.granted(scope, new or (), said or consent.NOTHING_NEW, before, choice)
    kept: Changes = () if before is None else (Hold(account.id, client.id),)
    if new is not None:
        refused, there = scopes.widened(scope, allowed), tuple((uri, allowed) for uri in elsewhere)
        now_said = Consent(account.id, client.id, allowed, now, refused, there)
        kept += (Save(consent.merged(now_said, before)),)
    if kind.issues == "code":
        lifetime = profile.code_lifetime
    return Answer(
        client,
        account,
        profile,
        kind.name,
        request.redirect_uri,
        state,
        allowed,
        asked.challenge,
        lifetime,
        kept,
        dated(asked.terms, asked.wanted, facts.session),
        named=request.params.get("redirect_uri") is not None,
    )


# whoever it turns out to be: a public client that has registered nothing that matters here
STRANGER = Client("", NOBODY, "", "native", "", (), 0)


def check_stranger(params: Params, profile: Profile, book: Rulebook) -> None:
    """Whether a request would do if the document that its client_id leads to says what it must: what can come to
    nothing has nothing fetched. Raises OAuthError."""
    given = params.get("redirect_uri")
    if given is None:
        raise InvalidRequest("authorize_redirect_uri_missing", "redirect_uri is missing")
    if redirect_uri.why_not_registrable(given, native=True, plain_http=False):
        raise InvalidRequest("redirect_uri_unregistered", "redirect_uri is none that an app can have")
    read_request(Trusted(params, STRANGER, profile, given, book))


def known_client(params: Params, facts: AuthorizeFacts) -> Client:
    """The client named. Raises InvalidRequest, InvalidClient."""
    if params.get("client_id") is None:
        raise InvalidRequest("authorize_client_id_missing", "client_id is missing")
    if facts.client is None or facts.client.disabled_at is not None:
        raise InvalidClient("client_unknown", "the client is unknown")
    return facts.client


def trusted_redirect(params: Params, client: Client, profile: Profile) -> str:
    """The redirect_uri, once it is one of the client's; the only one where none is named. Raises InvalidRequest."""
    given = params.get("redirect_uri")
    if given is None and not profile.redirect_named and len(client.redirect_uris) == 1:
        return client.redirect_uris[0]
    if given is None:
        raise InvalidRequest("authorize_redirect_uri_missing", "redirect_uri is missing")
    if not any(
        redirect_uri.matches(client, profile, registered, given) for registered in client.redirect_uris
    ):
        raise InvalidRequest("redirect_uri_unregistered", "redirect_uri is not registered for this client")
    return given


def allowed_response_type(request: Trusted) -> ResponseType:
    """The response_type, if the client's profile and its owner allow it. Raises OAuthError."""
    name = request.params.get("response_type")
    if name is None:
        raise InvalidRequest("response_type_missing", "response_type is missing")
    if name not in request.profile.response_types:
        raise UnsupportedResponseType("response_type_unknown", "this response_type is not supported")
    kind = RESPONSE_TYPES[name]
    if kind.in_front and not request.client.allow_implicit:
        raise UnauthorizedClient("implicit_disabled", "the implicit flow is disabled for this client")
    return kind


def needs_pkce(client: Client, kind: ResponseType, profile: Profile) -> bool:
    """A public client that could redeem a code must bind it (RFC 9700 2.1.1)."""
    return kind.issues == "code" and not client.confidential and "none" in profile.client_auth
