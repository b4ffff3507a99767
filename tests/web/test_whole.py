"""An answer in one message to a server that takes that, in two to everybody else."""

from typing import Any

from tests.web.test_cycle import Sent
from valetkey.web.listener.whole import WHOLE, Lines, takes_whole

COMMON = Lines((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
MORE = [(b"x-more", b"1")]
IN_TWO = [
    {"type": "http.response.start", "status": 200, "headers": [*COMMON.headers, (b"content-length", b"2"), *MORE]},
    {"type": "http.response.body", "body": b"ok"},
]  # fmt: skip


class Server:
    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def send(self, message: Any) -> None:
        self.messages.append(message)


class OurServer(Server):
    @takes_whole
    async def send(self, message: Any) -> None:
        self.messages.append(message)


async def page(scope: Any, receive: Any, send: Any) -> None:
    await COMMON.answer(send, 200, MORE, b"ok")


def test_lines_are_what_stands_on_the_wire() -> None:
    assert COMMON.wire == b"cache-control: no-store\r\npragma: no-cache\r\n"


async def test_in_two_messages_for_a_server_that_knows_nothing_of_it() -> None:
    server = Server()
    await page({}, None, server.send)
    assert server.messages == IN_TWO


async def test_in_one_for_a_server_that_takes_it() -> None:
    server = OurServer()
    await page({}, None, server.send)
    assert server.messages == [{"type": WHOLE, "status": 200, "lines": COMMON, "more": MORE, "body": b"ok"}]
    sent = Sent()
    await page({}, None, sent.cycle.send)
    assert b"".join(sent.wire.pieces).endswith(COMMON.wire + b"x-more: 1\r\ncontent-length: 2\r\n\r\nok")


async def test_who_stands_between_sees_every_head() -> None:
    server = OurServer()

    async def between(message: Any) -> None:
        await server.send(message)

    await page({}, None, between)
    assert server.messages == IN_TWO
