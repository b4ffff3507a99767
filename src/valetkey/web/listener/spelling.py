"""Names of headers as the origin spells them (classic.md 4), for clients that look for them among the raw lines.

Only on the wire: ASGI has names in lower case.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Spelled(bytes):
    """A name that goes out as it stands, though uvicorn asks for each in lower case."""

    def lower(self) -> "Spelled":
        """Itself."""
        return self


SPELLED = {name.lower(): Spelled(name) for name in (b"X-Ratelimit-Limit", b"X-Ratelimit-Remaining")}


def spelled(app: ASGIApp) -> ASGIApp:
    """The app, with these names spelled in its answers, for uvicorn's own cycle (cycle.py does so itself)."""

    async def spelling(scope: Scope, receive: Receive, send: Send) -> None:
        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(SPELLED.get(name, name), value) for name, value in message["headers"]]
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, receive, say if scope["path"].startswith("/v1/") else send)

    return spelling
