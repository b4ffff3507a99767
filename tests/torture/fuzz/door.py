"""The HTTP door on random bytes: however they are cut into pieces, the app hears the same requests, in their order."""

import asyncio
from types import SimpleNamespace
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from valetkey.web.listener import Limits, Listening
from valetkey.web.listener.connection import LEAVING

Heard = list[tuple[str, bytes, list[tuple[bytes, bytes]], bytes]]
loop = asyncio.new_event_loop()


class Wire(asyncio.Transport):
    """The other end: what was written, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 80)})
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        if not self.closed:
            self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        return

    def pause_reading(self) -> None:
        return

    resume_reading = pause_reading

    def set_protocol(self, protocol: Any) -> None:
        raise AssertionError("another protocol took over")


def conversation(pieces: list[bytes], parser: str) -> tuple[Heard, bytes, bool]:
    """What the app heard, what the peer read, and whether the connection ended."""
    heard: Heard = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        heard.append(
            (scope["method"], scope["raw_path"] + b"?" + scope["query_string"], scope["headers"], body)
        )
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def talk() -> Wire:
        protocol = door(config, ServerState(), {}, loop)
        protocol.watch.timer = SimpleNamespace()  # no clock here
        wire = Wire()
        protocol.connection_made(wire)
        for piece in pieces:
            if piece and not wire.closed:
                protocol.data_received(piece)
            for _ in range(6):
                await asyncio.sleep(0)
        for _ in range(6 * len(pieces) + 20):
            await asyncio.sleep(0)
        protocol.connection_lost(None)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not protocol.server_state.tasks, "a request outlives its connection"
        wire.closed |= protocol.phase == LEAVING
        return wire

    door = Listening(Limits(), parser)
    config = Config(app, http=door, ws="none", lifespan="off", log_config=None, interface="asgi3")  # type: ignore[arg-type]
    config.load()
    wire = loop.run_until_complete(talk())
    return heard, wire.written, wire.closed


def check(data: bytes, parser: str) -> None:
    """Whole, in two pieces, byte by byte: the same."""
    middle = len(data) // 2
    whole = conversation([data], parser)
    for pieces in ([data[:middle], data[middle:]], [data[i : i + 1] for i in range(len(data))]):
        cut = conversation(pieces, parser)
        both = min(len(cut[0]), len(whole[0]))
        assert cut[0][:both] == whole[0][:both], "another request, if it is cut otherwise"
        assert cut[2] == whole[2], "refused or not, if it is cut otherwise"
        assert cut[2] or cut == whole  # what is refused can be late for an answer that is under way
    for _, _, headers, _ in whole[0]:
        names = [name for name, _ in headers]
        assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1, "framed twice"
        assert names.count(b"host") <= 1
        assert not any(set(name + value) & set(b"\r\n\0") for name, value in headers)
    answers = whole[1].count(b"HTTP/1.1 200 ")
    assert answers == len(whole[0]) or (whole[2] and answers < len(whole[0])), "an answer for each request"


def httptools(data: bytes) -> None:
    """The parser that is used where it is installed."""
    check(data[:4000], "httptools")


def h11(data: bytes) -> None:
    """The one that is used elsewhere."""
    check(data[:4000], "h11")
