"""What stands around every page: headers on each answer, and one place where errors become answers (R18, R19)."""

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from valetkey.server.passwords import HashQueueFull
from valetkey.server.problems import Conflict, NotFound, Unavailable
from valetkey.server.settle import Busy
from valetkey.web.body import Rejected, cause, headers_of, level
from valetkey.web.guard import VISITOR, VISITOR_SECONDS, Refused, path_of, put_cookie, secure, server_of
from valetkey.web.pages.errors import error_page

log = structlog.get_logger("valetkey.web")
POLICY = b"default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
HEADERS = {
    b"content-security-policy": POLICY,
    b"x-frame-options": b"DENY",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}
TITLES = {
    404: "Not found",
    403: "Not allowed",
    429: "Too many tries",
    503: "Please try again",
    500: "Our mistake",
}
WORDS = {404: "There is nothing here.", 405: "This address does not answer that way."}


class Frame:
    """The middleware around every page: headers on each answer, and what goes wrong becomes an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        request = Request(scope, receive)
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = self.headers(request, message["headers"])
            await send(message)

        try:
            headers_of(scope)  # refuses what is there twice, before anybody reads one of them
            await self.app(scope, receive, guarded)
        except Exception as error:
            if started:
                raise
            response = answer_to(request, error)
            await response(scope, receive, guarded)

    def headers(self, request: Request, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The answer's own headers, and ours where it has none of that name."""
        names = {name.lower() for name, _ in given}
        added = [(name, value) for name, value in HEADERS.items() if name not in names]
        if secure(request):
            added.append((b"strict-transport-security", b"max-age=31536000"))
        visitor = getattr(request.state, "visitor", None)
        if visitor is not None:
            response = Response()
            put_cookie(response, request, VISITOR, visitor, VISITOR_SECONDS)
            added += [(name, value) for name, value in response.raw_headers if name == b"set-cookie"]
        return [*given, *added]


def answer_to(request: Request, error: Exception) -> Response:
    """What went wrong, as a page or JSON with a reference that the log has too; never a stack trace (R18, J11)."""
    refused = as_refused(error)
    reference = server_of(request).mint.reference()
    if refused.status >= 500 and not isinstance(error, Unavailable | Busy | Conflict | HashQueueFull):
        log.exception("page_failed", reference=reference, path=path_of(request), exc_info=error)
    else:
        facts = {"status": refused.status, "reason": refused.reason, "path": path_of(request)[:200]}
        why = cause(error) if refused.status >= 500 else {}
        log.log(level(refused.status), "page_refused", reference=reference, **facts, **why)
    response = shown(request, refused, reference)
    response.headers.update(refused.headers)
    return response


def shown(request: Request, refused: Refused, reference: str) -> Response:
    """A page for people, JSON for programs."""
    if wants_page(request):
        title = TITLES.get(refused.status, "That did not work")
        return error_page(request, refused.status, title, refused.words, reference)
    body = {
        "code": refused.status,
        "error_type": "OAuthException",
        "error_message": refused.words,
        "reference": reference,
    }
    return JSONResponse(body, refused.status)


def wants_page(request: Request) -> bool:
    """Whether a person is asking, by what their browser says it reads."""
    return "text/html" in request.headers.get("accept", "").lower()


def as_refused(error: Exception) -> Refused:
    """Any error, in the form that people are shown."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, Rejected):
        return Refused(error.status, error.reason, f"The request could not be read: {error.words}.")
    if isinstance(error, HTTPException):
        return Refused(error.status_code, "http", WORDS.get(error.status_code, error.detail), error.headers)
    if isinstance(error, NotFound):
        return Refused(404, "not_found", WORDS[404])
    if isinstance(error, Unavailable | Busy | Conflict | HashQueueFull):
        words = "We are very busy just now. Please try again in a moment."
        return Refused(503, "unavailable", words, {"Retry-After": "2"})
    return Refused(500, "bug", "Something went wrong on our side. It has been noted.")
