"""A whole ASGI application behind a guard: it answers for its metadata, and lets in who shows a token (RFC 9728 3)."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from valetkey.resource.guard import Denied, Guard, Token

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
ANYBODY = (b"access-control-allow-origin", b"*")
READABLE = (b"access-control-expose-headers", b"www-authenticate, mcp-session-id")
PREFLIGHT = [
    ANYBODY,
    (b"access-control-allow-methods", b"GET, POST, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type, mcp-protocol-version, mcp-session-id"),
    (b"access-control-max-age", b"3600"),
]


class Protected:
    """What is behind it finds the Token by `token_of`, and may raise Denied before it answers.

    scopes: what everybody needs; who needs more asks `guard.require`.
    """

    def __init__(self, app: App, guard: Guard, *scopes: str) -> None:
        self.app, self.guard, self.scopes = app, guard, scopes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. What is neither that nor a WebSocket is between the application and its server."""
        if scope["type"] == "websocket":
            return await self.socket(scope, receive, send)
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["method"] == "OPTIONS":
            return await answer(send, 204, b"", PREFLIGHT)
        if scope["path"] == self.guard.resource.metadata_path:
            return await answer(send, 200, json.dumps(self.guard.resource.metadata()).encode(), [ANYBODY])
        try:
            await self.app(await self.admitted(scope), receive, readable(send))
        except Denied as no:
            headers = [(name.lower().encode(), value.encode()) for name, value in no.headers.items()]
            await answer(send, no.status, json.dumps(no.body).encode(), [ANYBODY, READABLE, *headers])

    async def socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket needs a token like any request; refused before it opens, it is answered 403 (ASGI)."""
        try:
            inside = await self.admitted(scope)
        except Denied:
            return await send({"type": "websocket.close", "code": 1008})
        await self.app(inside, receive, send)

    async def admitted(self, scope: Scope) -> Scope:
        """The scope with the token of who may come in. Raises Denied."""
        token = await self.guard.admit(header(scope), *self.scopes)
        return {**scope, "state": {**scope.get("state", {}), "token": token}}


def token_of(scope: Scope) -> Token:
    """Whose request it is."""
    found: Token = scope["state"]["token"]
    return found


def header(scope: Scope) -> str | None:
    """The one Authorization header; two are as good as none that fits (RFC 9110 5.3)."""
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    return ", ".join(value.decode("latin-1") for value in found) or None


def readable(send: Send) -> Send:
    """Answers that pages of other origins may read: there are no cookies here, only the token (WHATWG Fetch 3.3)."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), ANYBODY, READABLE]}
        await send(message)

    return sending


async def answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """One whole answer."""
    own = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": body})
