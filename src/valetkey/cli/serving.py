"""One process that serves: uvicorn behind our door, and how it leaves: not ready first, then deaf, then gone."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import structlog
import uvicorn
from msgspec import Struct
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from valetkey.cli import door
from valetkey.cli.accepting import Accepting, Shares
from valetkey.cli.succession import GRACE, LEAVE
from valetkey.server.authorization_server import assemble
from valetkey.settings import Settings
from valetkey.web.app import create_app
from valetkey.web.listener import Listening, limits_of
from valetkey.web.listener.spelling import spelled

ASKS_IF_READY = ("/healthz", "/readyz")
LAST_CALL = 0.25  # seconds in which whoever has just been let in says what they want
OTHER_FILES = 100  # descriptors that are not connections
MOST_FILES = 65536
LAST_IDLE = 5.0  # the watch looks in steps
log = structlog.get_logger("valetkey.serve")


class Patience(Struct, frozen=True):
    """Seconds we stay: after SIGTERM, saying that we are not ready; and with idle connections when others serve."""

    drain: float = 0.0
    idle: float = 65.0


class Manner(Struct, frozen=True):
    """How to leave, how many connections there may be, which process must live as long, and whom to tell we serve."""

    patience: Patience = Patience()
    connections: int = 900
    parent: int | None = None
    ready: Callable[[], None] = lambda: None
    share: tuple[Shares, int] | None = None  # with other workers: their shares, and which is ours


def serve(settings: Settings, listening: socket.socket, manner: Manner) -> int:
    """Serve on a socket until a signal says otherwise; returns the exit code."""
    give_up_unread(listening, settings.server.body_deadline)
    server = Server(configured(settings, manner), manner)
    try:
        server.run([listening])
    except SystemExit as ended:  # uvicorn's way to say that the app could not start
        return int(ended.code or 0)
    return 0 if server.started else 1


def configured(settings: Settings, manner: Manner) -> uvicorn.Config:
    """uvicorn without what we do not use, or do ourselves."""
    door: Any = Listening(limits_of(settings.server, manner.connections))
    return uvicorn.Config(
        partial(make_app, settings),
        factory=True,
        http=door,
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )


def give_up_unread(listening: socket.socket, seconds: int) -> None:
    """Connections of this socket end when the peer takes nothing of an answer for so long, also of one that is already
    the kernel's: it could keep a megabyte for each, and for longer than we know of (RFC 5482)."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux
    if option is not None:
        listening.setsockopt(socket.IPPROTO_TCP, option, seconds * 1000)


def make_app(settings: Settings) -> ASGIApp:
    """This process's own server, out of the settings."""
    return create_app(assemble(settings))


class Server(uvicorn.Server):
    """uvicorn's server with a gentler end."""

    def __init__(self, config: uvicorn.Config, manner: Manner) -> None:
        super().__init__(config)
        self.manner = manner
        self.leaves_at: float | None = None
        self.draining = False
        self.succeeded = False  # others serve now
        self.last_words: ASGIApp | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open everything, listen, also on a socket that another process has shut before it left, and say so."""
        share = self.manner.share
        await super().startup(sockets if share is None else [])
        for listening in (sockets or ()) if self.started else ():
            door.open_again(listening)
            if share is not None:
                fair: Any = Accepting(listening, self.connection, self.server_state.connections, share)
                self.servers.append(fair)
        if self.started:
            self.manner.ready()

    def connection(self) -> asyncio.Protocol:
        """What uvicorn makes for a new connection."""
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(self.config, self.server_state, self.lifespan.state)
        return made

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """The end; after a drain nobody is cut off in it."""
        if self.draining:
            for listening in () if self.others_stay() else sockets or ():
                door.shut(listening)
            await asyncio.sleep(LAST_CALL)
            self.say_not_ready()
        await super().shutdown(sockets)

    def others_stay(self) -> bool:
        """Whether only we were asked to end: then the door stays open, for it is that of all workers."""
        return self.manner.share is not None and bool(self.manner.share[0].others(self.manner.share[1]))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM, SIGINT and our own LEAVE end the server, and then nothing else."""
        ends = (signal.SIGTERM, signal.SIGINT, LEAVE)
        before = {number: signal.signal(number, self.handle_exit) for number in ends}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Somebody wants us to end. With a time to drain, SIGTERM begins it; anything after that is meant at once."""
        patience = self.manner.patience
        if sig == LEAVE:
            self.succeeded = True
            self.leaves_at = self.leaves_at or time.monotonic() + patience.idle + LAST_IDLE
        elif sig == signal.SIGTERM and patience.drain and self.leaves_at is None and self.started:
            self.leaves_at, self.draining = time.monotonic() + patience.drain, True
        else:
            super().handle_exit(sig, frame)

    def say_not_ready(self) -> None:
        """From now on whoever asks is told to go elsewhere, and whoever stays is served."""
        if self.last_words is None:
            self.config.loaded_app = Leaving(self.config.loaded_app)
            self.last_words = spelled(self.config.loaded_app)
        for connection in self.server_state.connections:
            setattr(connection, "app", self.last_words)  # noqa: B010  not all of uvicorn's protocols have one

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        for server in self.servers:
            if isinstance(server, Accepting) and server.serving:
                server.leaving = self.draining
                server.note()
        if self.leaves_at is not None:
            if self.succeeded:
                self.let_go()
            self.say_not_ready()  # again: a connection may just have been accepted
            self.should_exit |= time.monotonic() >= self.leaves_at
        if self.manner.parent is not None and os.getppid() != self.manner.parent:
            log.warning("parent_gone")
            self.should_exit = True
        return await super().on_tick(counter)

    def let_go(self) -> None:
        """Others accept now. Who is connected stays for one more answer, or until idle for too long."""
        deaf = all(not server.is_serving() for server in self.servers)
        if deaf and not self.server_state.connections:
            self.should_exit = True
        for server in self.servers:
            server.close()


class Leaving:
    """In front of the app while we drain: not ready, and no connection is kept."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, the last of its connection."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        if not scope["path"].endswith(ASKS_IF_READY):  # the issuer's path may stand before it
            return await self.app(scope, receive, send_last)
        body = b'{"status":"leaving"}'
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send_last({"type": "http.response.start", "status": 503, "headers": headers})
        await send_last({"type": "http.response.body", "body": body})


def raised_file_limit() -> int:
    """As many open files as we are allowed; returns how many connections that leaves room for."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return max(OTHER_FILES, (wanted if soft == resource.RLIM_INFINITY else soft) - OTHER_FILES)
