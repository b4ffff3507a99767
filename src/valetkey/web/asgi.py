"""The application for other ASGI servers, `--factory valetkey.web.asgi:application`; holds what our own door cannot.

Our door stands beneath uvicorn alone. Behind granian or hypercorn the app itself holds the sizes of heads and the
deadline of bodies; deadlines of heads, idle connections and caps on connections are the server's, or a proxy's before.
"""

import asyncio
import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from valetkey.server.authorization_server import assemble
from valetkey.settings import load
from valetkey.web import logs
from valetkey.web.app import create_app
from valetkey.web.listener.refusals import NOT_ONE_HOST, Refusal, said, why_not_head


def application() -> ASGIApp:
    """A server out of valetkey.toml and the environment, for one worker. Raises SettingsError."""
    settings = load()
    logs.configure(settings.log, keep=True)
    return Held(create_app(assemble(settings)), settings.server.body_deadline)


class Held:
    """In front of the app: heads of bounded size with one Host, and bodies that arrive in time (R17)."""

    def __init__(self, app: ASGIApp, body_deadline: float) -> None:
        self.app, self.body_deadline = app, body_deadline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        refusal = why_not(scope)
        if refusal is not None:
            return await refuse(send, refusal)
        late = asyncio.get_running_loop().time() + self.body_deadline
        more = True

        async def receive_in_time() -> Message:
            nonlocal more
            if not more:
                return await receive()
            try:
                async with asyncio.timeout_at(late):
                    message = await receive()
            except TimeoutError:
                return {"type": "http.disconnect"}
            more = bool(message.get("more_body"))
            return message

        await self.app(scope, receive_in_time, send)


def why_not(scope: Scope) -> Refusal | None:
    """What is wrong with the head of a request."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    hosts = sum(1 for name, _ in scope["headers"] if name == b"host")
    if hosts > 1 or (hosts == 0 and scope["http_version"] == "1.1"):
        return NOT_ONE_HOST
    return why_not_head(len(path) + 1 + len(scope["query_string"]), list(scope["headers"]))


async def refuse(send: Send, refusal: Refusal) -> None:
    """Say no, as the door does."""
    body = json.dumps(said(refusal)).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": refusal[0], "headers": headers})
    await send({"type": "http.response.body", "body": body})
