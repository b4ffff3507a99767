"""Connections read by h11, where httptools is not installed: the same rules, slower (RFC 9112 5.2, 6.1, 6.3)."""

import re
import sys
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from valetkey.web.listener.connection import ANSWERING, BODY, HEAD, IDLE, LEAVING, Connection
from valetkey.web.listener.refusals import (
    ENCODED,
    HEADER_BYTES,
    LARGE_HEAD,
    LONG_URL,
    MALFORMED,
    NOT_ONE_HOST,
    URL_BYTES,
    Refusal,
    why_not_head,
)
from valetkey.web.listener.spelling import spelled

END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
LAX = re.compile(rb"(?<!\r)\n|\r(?!\n)|\n[ \t]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # h11 reads over these
FRAMING = re.compile(rb"\n(content-length|transfer-encoding):[ \t]*([^\r\n]*)", re.IGNORECASE)
TARGETS = (b"/", b"*", b"http://", b"https://")
WORDS_OF_H11 = {"Host": NOT_ONE_HOST, "Transfer-Encoding": ENCODED}


class Refused(h11.RemoteProtocolError):
    """A request that h11 would let pass."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal[1], error_status_hint=refusal[0])
        self.refusal = refusal


class StrictParser(h11.Connection):
    """h11, which reads leniently, with a look at the bytes of every head."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, URL_BYTES + HEADER_BYTES)

    def next_event(self) -> Any:
        head = b""
        if self.their_state is h11.IDLE:
            head = END_OF_HEAD.split(bytes(self.trailing_data[0]), maxsplit=1)[0]
        if len(head) > 2 * URL_BYTES and b"\n" not in head:
            raise Refused(LONG_URL)
        event = super().next_event()
        if isinstance(event, h11.Request):
            refusal = why_not_request(event, head)
            if refusal is not None:
                raise Refused(refusal)
        return event


def why_not_request(request: h11.Request, head: bytes) -> Refusal | None:
    """What is wrong with a request that h11 has read."""
    if request.http_version not in (b"1.0", b"1.1"):
        return MALFORMED
    if LAX.search(head) or not request.target.startswith(TARGETS) or request.method == b"CONNECT":
        return MALFORMED
    framing = FRAMING.findall(head)
    if len(framing) > 1 or any(
        name.lower() == b"content-length" and not n.strip().isdigit() for name, n in framing
    ):
        return MALFORMED
    if request.http_version == b"1.0" and any(name == b"transfer-encoding" for name, _ in request.headers):
        return ENCODED
    return why_not_head(len(request.target), list(request.headers))


def refusal_of(error: BaseException | None) -> Refusal:
    """What h11 said, in our words."""
    if isinstance(error, Refused):
        return error.refusal
    if getattr(error, "error_status_hint", 400) == 431:
        return LARGE_HEAD
    return next((ours for theirs, ours in WORDS_OF_H11.items() if theirs in str(error)), MALFORMED)


class H11Connection(Connection, H11Protocol):
    """uvicorn's protocol under the watch."""

    got = False  # whether bytes came since the last request was complete

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.conn = StrictParser()
        self.app = spelled(self.app)

    def heard(self) -> bool:
        return self.phase == BODY or (self.phase == HEAD and self.got)

    def data_received(self, data: bytes) -> None:
        """Bytes arrive."""
        if self.phase == LEAVING:
            return self.swallow(data)
        if self.phase == IDLE:
            self.phase, self.since = HEAD, self.watch.now
        self.got = True
        super().data_received(data)
        self.note_phase()
        self.expect_more()

    def _should_upgrade(self) -> bool:
        return False  # answered as if nobody had asked

    def note_phase(self) -> None:
        """What h11 is waiting for now."""
        if self.phase == LEAVING:
            return
        was, theirs = self.phase, self.conn.their_state
        if theirs is h11.SEND_BODY:
            self.phase = BODY
        elif theirs is not h11.IDLE:
            self.phase = ANSWERING
        elif self.conn.trailing_data[0] or self.cycle is None:
            self.phase = HEAD
        else:
            self.phase, self.got = IDLE, False
        if self.phase != was:
            self.since = self.watch.now

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unset_keepalive_if_required()  # the watch sees to that
        self.note_phase()

    def send_400_response(self, msg: str) -> None:
        """uvicorn calls this while it handles h11's exception."""
        self.watch.count("malformed")
        if self.answering() and self.cycle.more_body:
            self.phase = BODY  # it was the body that is broken
        self.refuse(refusal_of(sys.exc_info()[1]))
