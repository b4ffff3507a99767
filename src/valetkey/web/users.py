"""The origin's API, /v1/users/...: a token in, an account out (classic.md 4). Raw ASGI, as the bearer check is hot."""

import re

import structlog
from starlette.types import Receive, Scope, Send

from valetkey.protocol.endpoints.users import denied
from valetkey.server import users as acts
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.problems import Unavailable
from valetkey.web.oauth import RETRY, More, preflight, send_json

log = structlog.get_logger("valetkey.api")
PATH = re.compile(r"/v1/users/([^/]{1,64}?)(?:\.json|/)?")
QUERY_BYTES = 8192
USERS = "/v1/users/"
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
        header = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                if header is not None:
                    return await self.refuse(send, 400, "the Authorization header is there twice")
                header = value.decode("latin-1")
        path = PATH.fullmatch(scope["path"])
        try:
            answer = await acts.user(self.server, scope["query_string"], header, path[1] if path else "")
        except Unavailable:
            return await self.refuse(send, 503, "please try again in a moment")
        except Exception:
            log.exception("api_failed", reference=self.server.mint.reference())
            return await self.refuse(send, 500, "something went wrong on our side")
        if answer.reason:
            log.info("api_refused", reason=answer.reason)
        limits: More = [(LIMIT, b"%d" % answer.limit), (REMAINING, b"%d" % answer.remaining)]
        await send_json(send, answer.status, answer.body, limits)

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
