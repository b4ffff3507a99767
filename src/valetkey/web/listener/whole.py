"""A whole answer in one message, where it goes straight to a server that takes that; otherwise in two, as ASGI has it.

Whoever stands between and looks at heads is no such server, so that nobody's header is ever missing.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from starlette.types import Send

WHOLE = "valetkey.response.whole"
Header = tuple[bytes, bytes]
Sends = TypeVar("Sends", bound=Callable[..., Any])


def takes_whole(send: Sends) -> Sends:
    """Say of a server's own `send` that it takes a whole answer."""
    send.takes_whole = True  # type: ignore[attr-defined]
    return send


class Lines:
    """Headers that many answers have in common, and how they stand on the wire; none says how long the body is."""

    def __init__(self, *headers: Header) -> None:
        self.headers = headers
        self.wire = b"".join(b"%b: %b\r\n" % header for header in headers)

    def answer(self, send: Send, status: int, more: Iterable[Header], body: bytes) -> Awaitable[None]:
        """Send one answer, and all of it."""
        if hasattr(send, "takes_whole"):
            return send({"type": WHOLE, "status": status, "lines": self, "more": more, "body": body})
        return in_two(send, status, [*self.headers, (b"content-length", b"%d" % len(body)), *more], body)


async def in_two(send: Send, status: int, headers: list[Header], body: bytes) -> None:
    """As ASGI has it."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
