"""The origin's API, /v1/users/...: a token in, an account out (classic.md 4). Raw ASGI, as the bearer check is hot."""

import re

import structlog
from starlette.types import Receive, Scope, Send

from valetkey.protocol.endpoints.users import denied
from valetkey.protocol.rules.headers import Headers
from valetkey.server import users as acts
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.problems import Unavailable
from valetkey.server.settle import Busy
from valetkey.settings import ServerSettings
from valetkey.web import client_certificate
from valetkey.web.body import Rejected, not_now
from valetkey.web.oauth import (
    BUG,
    EXPOSED,
    RETRY,
    More,
    nonce_shown,
    preflight,
    referred,
    rejected,
    send_json,
)

log = structlog.get_logger("valetkey.api")
PATH = re.compile(r"/v1/users/([^/]{1,64}?)(?:\.json|/)?")
QUERY_BYTES = 8192
USERS = "/v1/users/"
SHOWN = {b"authorization": "Authorization", b"dpop": "DPoP"}
LIMIT, REMAINING = (
    b"x-ratelimit-limit",
    b"x-ratelimit-remaining",
)  # on the wire as listener/spelling.py has them


class UsersEndpoint:
    """GET /v1/users/self and /v1/users/{id}, also with a slash or .json behind; nothing else is under /v1/ yet."""

    def __init__(self, server: AuthorizationServer) -> None:
        self.server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; nothing but JSON leaves here."""
        if scope["method"] == "OPTIONS":
            return await preflight(send, b"GET")
        try:
            check(scope)
            answer = await acts.user(self.server, heard(scope, self.server.settings.server))
        except Rejected as no:
            return await self.refuse(send, no)
        except (Busy, Unavailable) as error:
            return await self.refuse(send, not_now(error))
        except Exception:
            reference = self.server.mint.reference()
            log.exception("api_failed", reference=reference)
            return await self.refuse(send, BUG, reference)
        limits: More = [(LIMIT, b"%d" % answer.limit), (REMAINING, b"%d" % answer.remaining)]
        if answer.challenge:
            limits.append((b"www-authenticate", answer.challenge.encode()))
            limits += [] if answer.nonce else [EXPOSED]
        if answer.reason:
            reference = self.server.mint.reference()
            log.info("api_refused", reason=answer.reason, reference=reference)
            limits += referred(reference)
        await send_json(send, answer.status, answer.body, [*limits, *nonce_shown(answer.nonce)])

    async def refuse(self, send: Send, no: Rejected, reference: str = "") -> None:
        """A call that could not be read, in the API's own form."""
        named = rejected(log, "api_rejected", no, reference or self.server.mint.reference())
        kind = "APINotFoundError" if no.status == 404 else "OAuthParameterException"
        body = denied("unreadable", kind, no.words, no.status).body
        limit = b"%d" % self.server.settings.api.rate_limit
        more: More = [(LIMIT, limit), (REMAINING, limit), *named]
        more += {405: [(b"allow", b"GET")], 503: RETRY}.get(no.status, [])
        await send_json(send, no.status, body, more)


def check(scope: Scope) -> None:
    """What is wrong with a call before anybody looks at its token. Raises Rejected."""
    if not scope["path"].startswith(USERS):
        raise Rejected(404, "path", "there is nothing here")
    if scope["method"] not in ("GET", "HEAD"):
        raise Rejected(405, "method", "GET is the only way to ask for this")
    if len(scope["query_string"]) > QUERY_BYTES:
        raise Rejected(414, "query_long", f"the query string is longer than {QUERY_BYTES} bytes")


def heard(scope: Scope, settings: ServerSettings) -> acts.ApiCall:
    """The call as the rules must know it. Raises Rejected for a header that is there twice."""
    shown: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in SHOWN:
            if name in shown:
                raise Rejected(400, "header_twice", f"the {SHOWN[name]} header is there twice")
            shown[name] = value.decode("latin-1")
    handed = client_certificate.handed_over(scope, settings)
    headers = Headers(shown.get(b"authorization"), shown.get(b"dpop"), *handed)
    path = PATH.fullmatch(scope["path"])
    return acts.ApiCall(
        scope["method"], scope["path"], path[1] if path else "", scope["query_string"], headers
    )
