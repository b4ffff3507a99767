"""Documents that are the same for everybody: the public keys and what the server can (RFC 7517 5, RFC 8414 3)."""

from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from valetkey.server.keys import Document
from valetkey.settings import MOST_CACHED
from valetkey.web.oauth import More, preflight, send_json

KEPT = b"public, max-age=%d" % (MOST_CACHED // 2)
HEADERS: More = [
    (b"cache-control", KEPT),
    (b"x-content-type-options", b"nosniff"),
    (b"access-control-allow-origin", b"*"),
]
MORE = b", mcp-protocol-version"  # what MCP clients say with every request


class DocumentEndpoint:
    """GET one document. Who has this version of it is not sent it again (RFC 9110 13.1.2)."""

    def __init__(self, find: Callable[[], Document]) -> None:
        self.find = find

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, also one of a page somewhere else (WHATWG Fetch 3.3)."""
        if scope["method"] == "OPTIONS":
            return await preflight(send, b"GET", more=MORE)
        if scope["method"] not in ("GET", "HEAD"):
            body: dict[str, object] = {
                "error": "invalid_request",
                "error_description": "GET is the only way to ask",
            }
            return await send_json(send, 405, body, [(b"allow", b"GET, HEAD")])
        found = self.find()
        headers = [*HEADERS, (b"etag", found.etag)]
        if has(scope, found.etag):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            return await send({"type": "http.response.body", "body": b""})
        headers += [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(found.body)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else found.body})


def has(scope: Scope, etag: bytes) -> bool:
    """Whether whoever asks has this version already."""
    known = b",".join(value for name, value in scope["headers"] if name == b"if-none-match")
    return known.strip() == b"*" or etag in (each.strip().removeprefix(b"W/") for each in known.split(b","))
