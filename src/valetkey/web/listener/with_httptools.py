"""Connections read by httptools: heads measured, framing tricks refused, trailers dropped (RFC 9112 6, 7.1.2)."""

import asyncio
from collections import deque
from functools import partial
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from valetkey.web.listener.connection import ANSWERING, BODY, HEAD, IDLE, LEAVING, Connection
from valetkey.web.listener.cycle import Cycle
from valetkey.web.listener.refusals import (
    ENCODED,
    HEADER_BYTES,
    HEADERS,
    LARGE_HEAD,
    LONG_URL,
    MALFORMED,
    NOT_ONE_HOST,
    URL_BYTES,
    Refusal,
    why_not_head,
)

LOOKED_AT = frozenset({b"host", b"expect", b"transfer-encoding"})
NOWHERE: "deque[tuple[bytes, bytes]]" = deque(maxlen=0)  # trailers go there: they must not become headers


class Refused(Exception):
    """Raised in a callback of the parser to make it stop."""


async def said_nothing(*asgi: Any) -> None:
    """An app that had no more to say."""


async def failed(faults: list[BaseException], *asgi: Any) -> None:
    """An app that has failed. Its fault is taken out of the list, or frame and fault would hold one another."""
    raise faults.pop()


def forgotten() -> None:
    """Nobody waits for the end of this answer any more."""


class HttpToolsConnection(Connection, HttpToolsProtocol):
    """uvicorn's protocol without its timer a request, under the watch instead."""

    url = b""
    headers = []  # noqa: RUF012  replaced when a message begins
    size = 0  # bytes of the head that is being read, or of the piece in which it began
    hosts = 0
    refusal: Refusal | None = None

    def heard(self) -> bool:
        return self.phase == BODY or (self.phase == HEAD and self.size > 0)

    def data_received(self, data: bytes) -> None:
        """Bytes arrive. llhttp itself refuses CL beside TE, two CL, obs-fold, bare LF, a space before a colon."""
        if self.phase == LEAVING:
            return self.swallow(data)
        self.size = self.size + len(data) if self.phase == HEAD else len(data)
        try:
            self.parser.feed_data(data)
        except (
            httptools.HttpParserUpgrade
        ):  # answered as if nobody had asked for another protocol, then closed
            if self.cycle is not None:
                self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self.watch.count("malformed")
            return self.refuse(self.refusal or MALFORMED)
        if self.phase == BODY:
            self.expect_more()
        elif self.size > URL_BYTES and self.phase == HEAD:
            self.refuse_endless_head(data)

    def refuse_endless_head(self, data: bytes) -> None:
        """A head that is too large already need not be waited for. What came before it in its piece is not of it."""
        before = data.rfind(b"\r\n\r\n")
        self.size = self.size if before < 0 else len(data) - before
        if len(self.url) > URL_BYTES:
            self.refuse(LONG_URL)
        elif self.size > URL_BYTES + HEADER_BYTES:
            self.refuse(LARGE_HEAD)

    # Callbacks of the parser.

    def on_message_begin(self) -> None:
        if self.phase == IDLE:
            self.since = self.watch.now
        self.phase = HEAD
        self.hosts, self.url, self.headers, self.expect_100_continue = 0, b"", [], False

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in LOOKED_AT:
            self.look_at(name, value)
        self.headers.append((name, value))

    def look_at(self, name: bytes, value: bytes) -> None:
        """A header that says how to read the request."""
        if name == b"host":
            self.hosts += 1
        elif name == b"expect":
            self.expect_100_continue = value.lower() == b"100-continue"
        elif value.lower() != b"chunked" or self.parser.get_http_version() != "1.1":
            self.refusal = ENCODED
            raise Refused

    def on_headers_complete(self) -> None:
        if self.size > URL_BYTES or len(self.headers) > HEADERS or self.hosts != 1:
            self.check_head()
        self.begin()
        self.phase = BODY
        self.since = self.watch.now
        self.headers = NOWHERE  # type: ignore[assignment]

    def begin(self) -> None:
        """As uvicorn does once the head is there, with a cycle of our own."""
        url, parser, before = httptools.parse_url(self.url), self.parser, self.cycle
        path, version = url.path.decode("ascii"), parser.get_http_version()
        scope: Any = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": self.root_path,
            "headers": self.headers,
            "state": self.app_state.copy(),
            "method": parser.get_method().decode("ascii"),
            "path": unquote(path) if "%" in path else path,
            "raw_path": url.path,
            "query_string": url.query or b"",
        }
        self.cycle = cycle = Cycle(
            scope, self.transport, self.flow, self.logger, self.access_logger, False, self.server_state.default_headers,
            asyncio.Event(), self.expect_100_continue, version != "1.0" and parser.should_keep_alive(),
            self.on_response_complete,
        )  # fmt: skip
        if before is None or before.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self.answered = cycle
        cycle.task = self.loop.create_task(self.run(cycle, app))
        self.tasks.add(cycle.task)

    async def run(self, cycle: Any, app: Any) -> None:
        """Let the app answer; what goes wrong is uvicorn's to tell. The task forgets itself: to be told that it is done
        would cost more."""
        try:
            await app(cycle.scope, cycle.receive, cycle.send)
            if not (cycle.response_complete or cycle.disconnected):
                await cycle.run_asgi(said_nothing)
        except BaseException as error:
            await cycle.run_asgi(partial(failed, [error]))
        finally:
            cycle.on_response = forgotten  # or connection and cycle would hold one another
            self.tasks.discard(cycle.task)

    def check_head(self) -> None:
        """The head is perhaps too large, or has not the one Host it needs (RFC 9112 3.2)."""
        version = self.parser.get_http_version()
        self.refusal = why_not_head(len(self.url), self.headers)
        if version not in ("1.0", "1.1"):
            self.refusal = MALFORMED
        elif self.hosts > 1 or (self.hosts == 0 and version == "1.1"):
            self.refusal = NOT_ONE_HOST
        if self.refusal is not None:
            raise Refused

    def on_body(self, body: bytes) -> None:
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        if self.cycle.response_complete:  # answered before its body was there
            self.phase, self.since = IDLE, self.watch.now
        else:
            self.phase = ANSWERING
            self.cycle.more_body = False
            self.cycle.message_event.set()

    # From the answer's side.

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.since = self.watch.now
        if self.phase == ANSWERING and not self.pipeline:
            self.phase = IDLE
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
