"""The answer on the wire: head and body in one piece, nothing that breaks out of a header, every shape of a body."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from valetkey.web.listener.cycle import Cycle
from valetkey.web.listener.whole import WHOLE, Lines

Message = dict[str, Any]
OK = b"HTTP/1.1 200 OK\r\n"


class Wire:
    """A transport that keeps what was written, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.pieces.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Sent:
    """What an app that sends these messages puts on the wire."""

    def __init__(self, method: str = "GET", keep_alive: bool = True, default: list | None = None) -> None:
        self.wire, self.complete = Wire(), 0
        transport: Any = self.wire
        self.cycle = Cycle(
            {"type": "http", "method": method},  # type: ignore[arg-type]
            transport, FlowControl(transport), None, None, False, default or [],  # type: ignore[arg-type]
            asyncio.Event(), False, keep_alive, self.done,
        )  # fmt: skip

    def done(self) -> None:
        self.complete += 1

    async def say(self, *messages: Message) -> list[bytes]:
        for message in messages:
            await self.cycle.send(message)
        return self.wire.pieces


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(data: bytes = b"", more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def whole(data: bytes, *more: tuple[bytes, bytes], status: int = 200) -> Message:
    return {"type": WHOLE, "status": status, "lines": KEPT, "more": list(more), "body": data}


LENGTH = (b"content-length", b"2")
KEPT = Lines((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
KEPT_LINES = b"cache-control: no-store\r\npragma: no-cache\r\n"


async def test_a_whole_answer_is_one_piece_and_nothing_is_sent_before_its_body():
    sent = Sent(default=[(b"date", b"now")])
    assert await sent.say(start(200, LENGTH, (b"X-Thing", b"a"))) == []
    assert await sent.say(body(b"ok")) == [
        OK + b"date: now\r\ncontent-length: 2\r\nx-thing: a\r\n\r\nok"
    ]  # fmt: skip
    assert (sent.complete, sent.wire.closed) == (1, False)


async def test_the_origins_names_go_out_as_it_spells_them():
    (piece,) = await Sent().say(start(200, (b"x-ratelimit-limit", b"5"), LENGTH), body(b"ok"))
    assert b"\r\nX-Ratelimit-Limit: 5\r\n" in piece


@pytest.mark.parametrize(
    ("sent", "messages", "wire"),
    [
        (Sent, [start(200, LENGTH), body(b"o", True), body(b"k")], OK + b"content-length: 2\r\n\r\nok"),
        (Sent, [start(), body(b"ok")], OK + b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        (Sent, [start(), body(b"o", True), body()], OK + b"transfer-encoding: chunked\r\n\r\n1\r\no\r\n0\r\n\r\n"),
        (lambda: Sent("HEAD"), [start(200, LENGTH), body(b"ok")], OK + b"content-length: 2\r\n\r\n"),
        (Sent, [start(204), body()], b"HTTP/1.1 204 No Content\r\n\r\n"),
        (Sent, [start(200, (b"content-length", b"0")), body()], OK + b"content-length: 0\r\n\r\n"),
        (Sent, [start(200, (b"content-length", b"0")), {"type": body()["type"]}], OK + b"content-length: 0\r\n\r\n"),
    ],
)  # fmt: skip
async def test_every_shape_of_a_body(sent: Callable[[], Sent], messages: list[Message], wire: bytes):
    made = sent()
    assert b"".join(await made.say(*messages)) == wire
    assert (made.complete, made.wire.closed) == (1, False)


@pytest.mark.parametrize(
    ("keep_alive", "headers"),
    [(False, []), (True, [(b"connection", b"close")]), (True, [(b"Connection", b"Close")])],
)
async def test_the_last_answer_of_a_connection_says_so(keep_alive: bool, headers: list[tuple[bytes, bytes]]):
    sent = Sent(keep_alive=keep_alive)
    (piece,) = await sent.say(start(200, LENGTH, *headers), body(b"ok"))
    assert piece == OK + b"content-length: 2\r\nconnection: close\r\n\r\nok"
    assert sent.wire.closed


@pytest.mark.parametrize(
    ("sent", "message", "wire"),
    [
        (Sent, whole(b"ok"), OK + KEPT_LINES + b"content-length: 2\r\n\r\nok"),
        (Sent, whole(b"", status=404), b"HTTP/1.1 404 Not Found\r\n" + KEPT_LINES + b"content-length: 0\r\n\r\n"),
        (Sent, whole(b"ok", (b"x-ratelimit-limit", b"5")),
         OK + KEPT_LINES + b"X-Ratelimit-Limit: 5\r\ncontent-length: 2\r\n\r\nok"),
        (lambda: Sent(default=[(b"date", b"now")]), whole(b"ok"),
         OK + KEPT_LINES + b"date: now\r\ncontent-length: 2\r\n\r\nok"),
        (lambda: Sent("HEAD"), whole(b"ok"), OK + KEPT_LINES + b"content-length: 2\r\n\r\n"),
    ],
)  # fmt: skip
async def test_an_answer_that_comes_whole(sent: Callable[[], Sent], message: Message, wire: bytes):
    made = sent()
    assert await made.say(message) == [wire]
    assert (made.complete, made.wire.closed, made.cycle.response_complete) == (1, False, True)


@pytest.mark.parametrize(("keep_alive", "more"), [(False, []), (True, [(b"connection", b"close")])])
async def test_the_last_answer_of_a_connection_says_so_when_it_comes_whole(
    keep_alive: bool, more: list[tuple[bytes, bytes]]
):
    sent = Sent(keep_alive=keep_alive)
    assert await sent.say(whole(b"ok", *more)) == [
        OK + KEPT_LINES + b"content-length: 2\r\nconnection: close\r\n\r\nok"
    ]
    assert sent.wire.closed


@pytest.mark.parametrize(
    "header",
    [LENGTH, (b"transfer-encoding", b"chunked"), (b"a b", b"x"), (b"x", b"a\r\nset-cookie: b"), (b"x", b"a\nb")],
)  # fmt: skip
async def test_A8_nothing_breaks_out_of_an_answer_that_comes_whole(header: tuple[bytes, bytes]):
    sent = Sent()
    with pytest.raises(RuntimeError):
        await sent.say(whole(b"ok", header))
    assert sent.wire.pieces == []


async def test_nothing_comes_before_or_behind_an_answer_that_comes_whole():
    for messages in ([whole(b"ok"), whole(b"ok")], [whole(b"ok"), body(b"ok")], [whole(b"ok"), start()]):
        sent = Sent()
        with pytest.raises(RuntimeError):
            await sent.say(*messages)
        assert sent.complete == len(sent.wire.pieces) == 1
    with pytest.raises(RuntimeError):
        await Sent().say(start(200, LENGTH), whole(b"ok"))


async def test_who_has_gone_is_told_no_whole_answer_either():
    sent = Sent()
    sent.cycle.disconnected = True
    assert await sent.say(whole(b"ok")) == []


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b", b"\x7f"])
async def test_A8_nothing_breaks_out_of_a_header(value: bytes):
    sent = Sent()
    with pytest.raises(RuntimeError):
        await sent.say(start(200, LENGTH, (b"location", value)))
    assert sent.wire.pieces == []


@pytest.mark.parametrize("name", [b"a b", b"a:", b"a\r\nb", b"", b"\xc3\xa9"])
async def test_A8_a_name_that_is_none_is_refused_each_time(name: bytes):
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await Sent().say(start(200, LENGTH, (name, b"x")))


@pytest.mark.parametrize(
    "messages",
    [[body(b"ok")], [start(200, LENGTH), start()], [start(200, LENGTH), body(b"ok!")], [start(200, LENGTH), body(b"o")],
     [start(200, LENGTH), body(b"ok"), body()]],
)  # fmt: skip
async def test_an_app_that_speaks_out_of_turn_is_told(messages: list[Message]):
    with pytest.raises(RuntimeError):
        await Sent().say(*messages)


async def test_nothing_follows_an_answer_that_is_complete():
    sent = Sent()
    with pytest.raises(RuntimeError):
        await sent.say(start(200, LENGTH), body(b"ok"), body())
    assert sent.wire.pieces == [OK + b"content-length: 2\r\n\r\nok"]


async def test_who_has_gone_is_told_nothing():
    sent = Sent()
    sent.cycle.disconnected = True
    assert await sent.say(start(200, LENGTH), body(b"ok")) == []


async def test_names_are_not_remembered_without_end():
    before = dict(Cycle.names)
    for number in range(1100):
        await Sent().say(start(200, (b"x-%d" % number, b""), LENGTH), body(b"ok"))
    assert len(Cycle.names) == 1000
    (piece,) = await Sent().say(start(200, (b"x-one-more", b"1"), LENGTH), body(b"ok"))
    assert b"\r\nx-one-more: 1\r\n" in piece
    Cycle.names.clear()
    Cycle.names.update(before)
