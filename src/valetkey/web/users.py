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
from valetkey.web.body import Rejected, cause
from valetkey.web.oauth import EXPOSED, RETRY, More, nonce_shown, preflight, send_json

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
        no = why_not(scope)
        if no is not None:
            return await self.refuse(send, *no)
        try:
            answer = await acts.user(self.server, heard(scope, self.server.settings.server))
        except Rejected as rejected:
            return await self.refuse(send, rejected.status, rejected.words)
        except (Busy, Unavailable) as error:
            log.warning("api_rejected", reason="unavailable", status=503, **cause(error))
            return await self.refuse(send, 503, "please try again in a moment")
        except Exception:
            log.exception("api_failed", reference=self.server.mint.reference())
            return await self.refuse(send, 500, "something went wrong on our side")
        if answer.reason:
            log.info("api_refused", reason=answer.reason)
        limits: More = [(LIMIT, b"%d" % answer.limit), (REMAINING, b"%d" % answer.remaining)]
        if answer.challenge:
            limits.append((b"www-authenticate", answer.challenge.encode()))
            limits += [] if answer.nonce else [EXPOSED]
        await send_json(send, answer.status, answer.body, [*limits, *nonce_shown(answer.nonce)])

    async def refuse(self, send: Send, status: int, words: str) -> None:
        """A call that could not be read, in the API's own form."""
        kind = "APINotFoundError" if status == 404 else "OAuthParameterException"
        no = denied("unreadable", kind, words, status)
        limit = b"%d" % self.server.settings.api.rate_limit
        more: More = [(LIMIT, limit), (REMAINING, limit)]
        more += {405: [(b"allow", b"GET")], 503: RETRY}.get(status, [])
        await send_json(send, status, no.body, more)


def why_not(scope: Scope) -> tuple[int, str] | None:
    """What is wrong with a call before anybody looks at its token."""
    if not scope["path"].startswith(USERS):
        return 404, "there is nothing here"
    if scope["method"] not in ("GET", "HEAD"):
        return 405, "GET is the only way to ask for this"
    if len(scope["query_string"]) > QUERY_BYTES:
        return 414, f"the query string is longer than {QUERY_BYTES} bytes"
    return None


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
