"""One request and its answer: uvicorn's cycle, which sends head and body of an answer in one piece.

Names of headers are looked at once in the life of a process, the values of an answer all together; uvicorn's own cycle
looks at each by itself, and writes twice. That is a fifth of what an empty answer costs.
"""

import re
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from valetkey.web.listener.spelling import SPELLED
from valetkey.web.listener.whole import WHOLE, Header, takes_whole

NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 5.1
BAD_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")  # RFC 9110 5.5
FRAMING = (b"content-length", b"transfer-encoding")
WITHOUT_BODY = (204, 304)
MOST_NAMES = 1000
LAST_LINES = b"content-length: %d\r\nconnection: close\r\n\r\n", b"content-length: %d\r\n\r\n"


class Cycle(RequestResponseCycle):
    """Holds the head back until the first piece of the body comes (ASGI: a server may, and must not send it before)."""

    head = b""
    names: dict[bytes, bytes] = {}  # noqa: RUF012  name -> as it stands in a head, of those that say nothing to us

    async def receive(self) -> Any:
        """What the peer says. For a body that is there already nobody waits."""
        said_all = not self.more_body and self.message_event.is_set()
        if not said_all or self.response_complete or self.disconnected or self.waiting_for_100_continue:
            return await super().receive()
        self.message_event.clear()
        message = {"type": "http.request", "body": bytes(self.body), "more_body": False}
        self.body = bytearray()
        return message

    @takes_whole
    async def send(self, message: Any) -> None:
        """What the app says."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if not self.response_started:
            if message["type"] == WHOLE:
                return self.send_whole(message)
            if message["type"] != "http.response.start":
                raise RuntimeError(f"expected http.response.start, not {message['type']}")
            self.response_started, self.waiting_for_100_continue = True, False
            self.head = self.head_of(message["status"], message.get("headers", ()))
        elif message["type"] == "http.response.body" and not self.response_complete and self.whole(message):
            self.transport.write(self.head + message.get("body", b""))
            self.finish()
        else:
            if self.head and not self.response_complete:
                self.transport.write(self.head)
                self.head = b""
            await super().send(message)

    def send_whole(self, message: Any) -> None:
        """The app says all at once (whole.py). Raises RuntimeError."""
        self.response_started, self.waiting_for_100_continue = True, False
        lines, body = self.lines((*self.default_headers, *message["more"])), message["body"]
        if self.chunked_encoding is not None:
            raise RuntimeError("how long a whole answer is, is not the app's to say")
        lines.append(LAST_LINES[self.keep_alive] % len(body))
        if self.scope["method"] != "HEAD":
            lines.append(body)
        self.transport.write(b"".join((STATUS_LINE[message["status"]], message["lines"].wire, *lines)))
        self.finish()

    def finish(self) -> None:
        """The answer is complete."""
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def whole(self, message: Any) -> bool:
        """Whether this is the body, and no less or more than was announced, of an answer that has not begun."""
        return bool(
            self.head
            and self.chunked_encoding is False
            and not message.get("more_body")
            and len(message.get("body", b"")) == self.expected_content_length
            and self.scope["method"] != "HEAD"
        )

    def head_of(self, status: int, headers: Iterable[Header]) -> bytes:
        """Status line and headers. Raises RuntimeError for what could break out of a header (A8, F4)."""
        pieces = [STATUS_LINE[status], *self.lines((*self.default_headers, *headers))]
        if not self.keep_alive:
            pieces.append(b"connection: close\r\n")
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in WITHOUT_BODY:
            self.chunked_encoding = True
            pieces.append(b"transfer-encoding: chunked\r\n")
        pieces.append(b"\r\n")
        return b"".join(pieces)

    def lines(self, headers: Iterable[Header]) -> list[bytes]:
        """Headers in pieces of their lines. Raises RuntimeError as head_of does."""
        pieces: list[bytes] = []
        values, names = [], self.names
        for name, value in headers:
            known = names.get(name) or self.looked_at(name, value)
            if known:
                pieces += (known, value, b"\r\n")
                values.append(value)
        if BAD_VALUE.search(b"".join(values)):
            raise RuntimeError("a value of a header of the answer cannot be sent")
        return pieces

    def looked_at(self, name: bytes, value: bytes) -> bytes:
        """The name as it stands in a head, in lower case unless the origin spells it otherwise; nothing for Connection,
        which we say ourselves. What says how long the body is, is noted. Raises RuntimeError."""
        lower = name.lower()
        if lower == b"content-length" and self.chunked_encoding is None:
            self.expected_content_length, self.chunked_encoding = int(value), False
            return b"content-length: "
        if lower == b"transfer-encoding" and value.lower() == b"chunked":
            self.expected_content_length, self.chunked_encoding = 0, True
            return b"transfer-encoding: "
        if lower == b"connection":
            self.keep_alive &= b"close" not in value.lower()
            return b""
        return self.checked(name, lower)

    def checked(self, name: bytes, lower: bytes) -> bytes:
        """A name that is kept for the next answer, once it is seen to be one. Raises RuntimeError."""
        if not NAME.fullmatch(name):
            raise RuntimeError("a name of a header of the answer cannot be sent")
        known = bytes(SPELLED.get(lower, lower)) + b": "
        if len(self.names) < MOST_NAMES and lower not in FRAMING:
            self.names[name] = known
        return known
