"""The protocol endpoints: form in, JSON or redirect out. Raw ASGI, since nothing else may be on their path."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from valetkey.protocol.decision import AskLogin, ErrorPage, Refuse
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.params import SEVERAL, VALUE_BYTES, Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import credentials
from valetkey.protocol.rules.headers import Headers
from valetkey.server import authorize as acts
from valetkey.server import token as token_acts
from valetkey.server.asked_at import way_back
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.authorize import Outcome, Redirect, ShowConsent
from valetkey.server.problems import Unavailable
from valetkey.server.settle import Busy
from valetkey.settings import ServerSettings
from valetkey.web import client_certificate, guard
from valetkey.web.body import Rejected, headers_of, level, not_now, read_body, read_form, read_query
from valetkey.web.frame import wants_page
from valetkey.web.listener.whole import Header, Lines
from valetkey.web.pages.consent import answered, consent_page
from valetkey.web.pages.errors import PEOPLE, error_page
from valetkey.web.pages.login import Onward, login_page, with_next

log = structlog.get_logger("valetkey.oauth")
UNKEPT = Lines(
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
    (b"access-control-allow-origin", b"*"),
)
JSON = Lines((b"content-type", b"application/json"), *UNKEPT.headers)
RETRY = [(b"retry-after", b"1")]
BUG = Rejected(500, "bug", "something went wrong on our side")
WAIT = [(b"retry-after", b"60")]
CLOSE = [(b"connection", b"close")]
# what is no fault of the request, in the words of RFC 6749 4.1.2.1: 5.2 has none
OURS = {429: "temporarily_unavailable", 500: "server_error", 503: "temporarily_unavailable"}
REDIRECT_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-length", b"0"),
]
LEFT_HERE = ("request_uri", "device_code")  # requests that stay until a person comes
LONGEST_LOCATION = 6000
More = list[tuple[bytes, bytes]]
EXPOSED = (b"access-control-expose-headers", b"dpop-nonce, www-authenticate")  # to pages of other sites
REFERENCE = "x-request-id"  # of what was refused: as in its log line, for whoever asks the operator about it
Act = Callable[[AuthorizationServer, Profile, Params, Params, Headers], Awaitable[token_acts.Reply]]


def send_json(
    send: Send, status: int, body: dict[str, object], more: Iterable[Header] = ()
) -> Awaitable[None]:
    """One JSON answer that nobody may keep (RFC 6749 5.1)."""
    return JSON.answer(send, status, more, msgspec.json.encode(body))


def referred(reference: str) -> More:
    """The name of this request, as the log has it."""
    return [(REFERENCE.encode(), reference.encode())]


def rejected(logger: Any, event: str, no: Rejected, reference: str) -> More:
    """Tell the log of a request that could not be read, or not now; what its answer is to be found by."""
    facts = {"reason": no.reason, "status": no.status, "reference": reference}
    logger.log(level(no.status), event, **facts, **no.cause)
    return referred(reference)


async def preflight(send: Send, methods: bytes, dpop: bool = True, more: bytes = b"") -> None:
    """CORS for browser apps; no credentials, ever (WHATWG Fetch 3.3)."""
    headers = [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-methods", methods),
        (b"access-control-allow-headers", b"authorization, content-type" + b", dpop" * dpop + more),
        (b"access-control-max-age", b"3600"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def nonce_shown(nonce: str) -> More:
    """The nonce for the next DPoP proof, also for pages of other sites to read (RFC 9449 8.2)."""
    if not nonce:
        return []
    return [(b"dpop-nonce", nonce.encode()), EXPOSED]


def said(scope: Scope, headers: Mapping[bytes, bytes], settings: ServerSettings) -> Headers:
    """What the rules must know of a request's headers. Raises Rejected."""
    authorization, dpop = headers.get(b"authorization"), headers.get(b"dpop")
    accept = headers.get(b"accept", b"").decode("latin-1")
    return Headers(
        authorization.decode("latin-1") if authorization is not None else None,
        dpop.decode("latin-1") if dpop is not None else None,
        *client_certificate.handed_over(scope, settings),
        accept=accept,
    )


class FormEndpoint:
    """POST a form, get JSON: the token endpoint of one profile (RFC 6749 3.2), and whatever is asked in the same way.

    what: the thing asked for, as messages and the log name it.
    """

    def __init__(
        self,
        server: AuthorizationServer,
        profile: Profile,
        act: Act = token_acts.token,
        what: str = "token",
        longest: int = VALUE_BYTES,
    ) -> None:
        self.server, self.profile, self.act, self.what, self.longest = server, profile, act, what, longest
        self.several = SEVERAL if profile.resources != "never" else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing but JSON leaves here."""
        if scope["method"] == "OPTIONS":
            return await preflight(send, b"POST", self.profile.sender != "never")
        if scope["method"] != "POST":
            one = ("an " if self.what[0] in "aeiou" else "a ") + self.what
            return await self.refuse(send, Rejected(405, "method", f"POST is the only way to ask for {one}"))
        try:
            nonce = self.server.nonces.current() if self.profile.sender != "never" else ""
            headers = headers_of(scope)
            body = await read_body(receive, headers)
            answer = await self.act(*self.asked(scope, headers, body))
            if answer.reason == "secret_wrong":
                self.server.failures.count(guard.network(Request(scope)), answer.client_id)
        except Rejected as no:
            return await self.refuse(send, no)
        except OAuthError as error:
            answer = token_acts.refused(error, self.profile, "")
        except (Busy, Unavailable) as error:
            return await self.refuse(send, not_now(error))
        except Exception:
            reference = self.server.mint.reference()
            log.exception(f"{self.what}_failed", reference=reference)
            return await self.refuse(send, BUG, reference)
        if answer.jwt:
            kind = (b"content-type", answer.content_type.encode())
            return await UNKEPT.answer(send, answer.status, [kind], answer.jwt.encode())
        more = self.told_of(answer) if answer.reason else []
        await send_json(send, answer.status, answer.body, [*more, *nonce_shown(nonce)])

    def told_of(self, answer: token_acts.Reply) -> More:
        """A refusal is told to the log, and in its headers by which name."""
        reference = self.server.mint.reference()
        facts = {"reason": answer.reason, "client_id": answer.client_id[:40], "reference": reference}
        log.info(f"{self.what}_refused", **facts)
        challenge = [(b"www-authenticate", b'Basic realm="valetkey"')] if answer.status == 401 else []
        return [*challenge, *referred(reference)]

    def asked(
        self, scope: Scope, headers: Mapping[bytes, bytes], body: bytes
    ) -> tuple[AuthorizationServer, Profile, Params, Params, Headers]:
        """Bytes to what is asked, unless too much is. Raises Rejected, OAuthError."""
        params, _ = read_form(body, headers.get(b"content-type", b""), self.longest, self.several)
        failures, said_there = self.server.failures, said(scope, headers, self.server.settings.server)
        if failures.counts:
            named = credentials.named(params, said_there, self.profile)
            if failures.too_many(guard.network(Request(scope)), named):
                raise Rejected(429, "secret_failures", "too many failed attempts; please wait a minute")
        if self.what in LEFT_HERE:
            self.check_room(scope, params, said_there)
        return self.server, self.profile, params, read_query(scope), said_there

    def check_room(self, scope: Scope, params: Params, said_there: Headers) -> None:
        """Who need not prove who they are must not fill the database either (J8). Raises Rejected, OAuthError."""
        shown = credentials.read(params, said_there, self.profile)
        if shown.method == "none":
            place, unproven = guard.network(Request(scope)), self.server.unproven
            if unproven.too_many(place, shown.client_id):
                raise Rejected(429, "unproven_many", "too many requests; please wait a minute")
            unproven.count(place, shown.client_id)

    async def refuse(self, send: Send, no: Rejected, reference: str = "") -> None:
        """A request that could not be read, in the profile's own form."""
        named = rejected(log, f"{self.what}_rejected", no, reference or self.server.mint.reference())
        _, body = self.profile.error_answer(OURS.get(no.status, "invalid_request"), no.reason, no.words, "")
        if "code" in body:
            body["code"] = no.status
        more = {405: [(b"allow", b"POST")], 503: RETRY, 429: WAIT, 413: CLOSE}.get(no.status, [])
        await send_json(send, no.status, body, [*more, *named])


class AuthorizeEndpoint:
    """GET the authorization endpoint (RFC 6749 3.1), and POST the answer to its confirmation screen."""

    def __init__(self, server: AuthorizationServer, consent: bool = False) -> None:
        self.server, self.consent = server, consent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the rules, and turn what they say into a redirect or a page."""
        request = Request(scope, receive)
        allowed = "POST" if self.consent else "GET"
        if scope["method"] != allowed:  # HEAD and OPTIONS never grant (A24)
            raise guard.Refused(405, "method", "This address does not answer that way.", {"Allow": allowed})
        outcome = await (self.answered(request) if self.consent else self.asked(request))
        if isinstance(outcome, Redirect | Refuse):
            where = outcome.location.encode("ascii")
            if isinstance(outcome, Refuse):
                log.info("authorize_refused", reason=outcome.reason, client_id=outcome.client.id)
            headers = [(b"location", where), *REDIRECT_HEADERS]
            await send({"type": "http.response.start", "status": 302, "headers": headers})
            return await send({"type": "http.response.body", "body": b""})
        await (await self.page(request, outcome))(scope, receive, send)

    async def asked(self, request: Request) -> Outcome:
        """An authorization request arrives."""
        query: bytes = request.scope["query_string"]
        if len(query) > 8192:
            raise guard.Refused(414, "query_long", "The address is too long.")
        return await acts.authorize(self.server, query, guard.session_digest(request), guard.network(request))

    async def answered(self, request: Request) -> Outcome:
        """The confirmation screen comes back: CSRF token, ticket and decision, nothing else."""
        form = await guard.read_form(request)
        digest = guard.session_digest(request)
        if digest is None:
            raise guard.Refused(
                403, "session_missing", "You are not logged in any more. Please go back to the app."
            )
        return await acts.answer_consent(self.server, form.get("ticket") or "", answered(form), digest)

    async def page(self, request: Request, outcome: ErrorPage | AskLogin | ShowConsent) -> Response:
        """What is shown instead of a redirect."""
        if isinstance(outcome, AskLogin):
            path = (
                guard.path_of(request)
                + "?"
                + way_back(self.server, request.scope["query_string"], outcome.asked_at)
            )
            location = with_next("/accounts/login/", path)
            if len(location) > LONGEST_LOCATION:  # a long state, spelled out twice: show the form here
                return login_page(request, Onward(path, outcome.client, outcome.redirect_uri))
            return RedirectResponse(location, 302)
        if isinstance(outcome, ShowConsent):
            return consent_page(request, outcome.ask, outcome.ticket)
        return self.error(request, outcome)

    def error(self, request: Request, outcome: ErrorPage) -> Response:
        """What cannot be redirected, since the client or its redirect_uri is not trusted (R3)."""
        reference = self.server.mint.reference()
        error, client = outcome.error, outcome.client
        log.info(
            "authorize_refused",
            reason=error.reason,
            reference=reference,
            client_id=client.id if client else "",
        )
        status, body = outcome.profile.error_answer(
            error.code, error.reason, error.description, error.subject
        )
        if not wants_page(request):
            return JSONResponse(body, status, {REFERENCE: reference})
        title, words = PEOPLE.get(error.reason, PEOPLE["other"])
        return error_page(
            request,
            status,
            title,
            words.format(message=body.get("error_message", error.description)),
            reference,
        )
