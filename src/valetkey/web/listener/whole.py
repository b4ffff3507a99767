"""A whole answer in one message, where the server beneath takes that; elsewhere in two, as ever (ASGI, Extensions)."""

from collections.abc import Awaitable, Iterable

from starlette.types import Scope, Send

WHOLE = "valetkey.response.whole"
OFFERED: dict[str, dict[object, object]] = {WHOLE: {}}
Header = tuple[bytes, bytes]


class Lines:
    """Headers that many answers have in common, and how they stand on the wire; none says how long the body is."""

    def __init__(self, *headers: Header) -> None:
        self.headers = headers
        self.wire = b"".join(b"%b: %b\r\n" % header for header in headers)

    def answer(
        self, scope: Scope, send: Send, status: int, more: Iterable[Header], body: bytes
    ) -> Awaitable[None]:
        """Send one answer, and all of it."""
        if WHOLE in scope.get("extensions", ()):
            return send({"type": WHOLE, "status": status, "lines": self, "more": more, "body": body})
        return in_two(send, status, [*self.headers, (b"content-length", b"%d" % len(body)), *more], body)


async def in_two(send: Send, status: int, headers: list[Header], body: bytes) -> None:
    """As ASGI has it."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
