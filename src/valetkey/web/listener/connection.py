"""One connection: what it is waiting for, and when that has taken too long.

HEAD        for the rest of a request's head, also when nothing came yet
BODY        for the rest of a request's body
ANSWERING   for us: a complete request is being answered
IDLE        for the next request, which has not begun
LEAVING     for the peer to read why it was turned away
"""

import asyncio
from typing import TYPE_CHECKING, Any

from valetkey.web.listener.refusals import CROWDED, LATE_BODY, LATE_HEAD, Refusal, answer

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from valetkey.web.listener.watch import Watch

HEAD, BODY, ANSWERING, IDLE, LEAVING = range(5)
SWALLOWED_BYTES = 64 * 1024 * 1024


class Connection(asyncio.Protocol):
    """What a connection does whichever parser reads it; stands before uvicorn's own protocol among the bases.

    Phases change with a store of `phase` and `since`; the watch comes by now and then and looks at them. Time is
    `watch.now`, which moves when the watch looks: a request asks no clock and sets no timer.
    """

    watch: "Watch"
    address: str | None = None
    phase = HEAD
    since = 0.0
    swallowed = 0
    answered: Any = None  # the request being answered, where others may have been read since (pipelining)
    # these are the protocol's
    app: Any
    client: Any
    transport: Any
    flow: Any
    cycle: Any
    server_state: Any

    if TYPE_CHECKING:

        def __init__(
            self,
            config: Config,
            server_state: ServerState,
            app_state: dict[str, Any],
            _loop: asyncio.AbstractEventLoop | None = None,
        ) -> None: ...

        def heard(self) -> bool:
            """Whether part of a request has arrived that was not answered yet: the parser's side knows."""
            ...

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer connects: it may come in, but perhaps another one must go."""
        super().connection_made(transport)
        self.watch.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.watch.leave(self)
        super().connection_lost(exc)
        self.say_gone()
        for cycle in (self.cycle, self.answered):
            if cycle is not None:
                cycle.transport = self.transport  # a Lingering one would hold us

    def shutdown(self) -> None:
        """The server ends: who was told no may still read it."""
        if self.phase != LEAVING:
            super().shutdown()  # type: ignore[misc]  # the protocol's

    def answering(self) -> bool:
        """Whether an answer is under way, or the app is at work on one."""
        return self.cycle is not None and not self.cycle.response_complete

    def only_waits(self) -> bool:
        """Whether nobody is at work for this connection."""
        return self.phase == BODY or self.phase == IDLE or (self.phase == HEAD and not self.answering())

    def look(self, now: float) -> None:
        """The watch comes by."""
        waited = now - self.since
        if self.phase == LEAVING:
            if waited > self.watch.limits.linger:
                self.transport.abort()
        elif self.transport.is_closing():
            self.phase, self.since = LEAVING, now
        elif self.flow.write_paused:  # the peer does not read its answer
            if waited > self.watch.late_body:
                self.watch.count("answer_unread")
                self.transport.abort()
        elif self.flow.read_paused or not self.only_waits():
            self.since = now  # it is we who are slow
        else:
            self.end_if_late(waited)

    def end_if_late(self, waited: float) -> None:
        """Close a connection that has been waited for too long."""
        if self.phase == HEAD and waited > self.watch.late_head:
            self.watch.count("head_late")
            self.refuse(LATE_HEAD)
        elif self.phase == BODY and waited > self.watch.late_body:
            self.watch.count("body_late")
            self.refuse(LATE_BODY)
        elif self.phase == IDLE and waited > self.watch.late_idle:
            self.transport.close()

    def refuse(self, refusal: Refusal) -> None:
        """Say no to what was asked; close once the peer had time to read it, for a reset could overtake the answer."""
        if self.phase == LEAVING or self.transport.is_closing():
            return
        if self.say(refusal):
            self.linger()
        else:
            self.transport.close()

    def linger(self) -> None:
        """Say nothing more, and listen until the peer has understood."""
        if not self.transport.can_write_eof():
            self.transport.close()
            return
        self.phase, self.since = LEAVING, self.watch.now
        self.watch.forget_address(self)
        self.flow.resume_reading()
        self.transport.write_eof()

    def expect_more(self) -> None:
        """The rest of a body is still to come: an app that closes without it must not cut off its own answer."""
        if self.phase == BODY and not isinstance(self.cycle.transport, Lingering):
            self.cycle.transport = Lingering(self)

    def give_way(self) -> None:
        """Somebody else needs the room: say why if anything was asked, and go at once."""
        self.say(CROWDED)
        self.watch.forget_address(self)
        self.transport.close()

    def say(self, refusal: Refusal) -> bool:
        """Send the refusal, unless nothing was asked or another answer has begun: then there is nothing to say."""
        behind = self.answered is not None and self.answered is not self.cycle
        begun = (behind or self.cycle.response_started) if self.phase == BODY else self.answering()
        can = self.heard() and not begun
        self.say_gone()
        if can:
            self.transport.write(answer(refusal, self.server_state.default_headers))
        return can

    def say_gone(self) -> None:
        """The app reads that the peer has gone, and what it still sends goes nowhere."""
        for cycle in (self.cycle, self.answered):
            if cycle is not None:
                cycle.disconnected = True
                cycle.message_event.set()

    def swallow(self, data: bytes) -> None:
        """What comes after we said no is read and dropped, but not for ever."""
        self.swallowed += len(data)
        if self.swallowed > SWALLOWED_BYTES:
            self.transport.abort()


class Lingering:
    """The transport as a request sees it whose body is still arriving: closing waits for the peer."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.transport = connection, connection.transport
        self.write, self.is_closing = self.transport.write, self.transport.is_closing

    def close(self) -> None:
        """Close, slowly if the body is still not there."""
        if self.connection.phase == BODY:
            self.connection.linger()
        else:
            self.transport.close()
