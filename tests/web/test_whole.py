"""An answer in one message where the server beneath takes that, otherwise in two."""

from typing import Any

import pytest

from valetkey.web.frame import Frame
from valetkey.web.listener.whole import OFFERED, WHOLE, Lines

COMMON = Lines((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
MORE = [(b"x-more", b"1")]


async def told(scope: dict[str, Any]) -> list[dict[str, Any]]:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    await COMMON.answer(scope, send, 200, MORE, b"ok")
    return messages


def test_lines_are_what_stands_on_the_wire():
    assert COMMON.wire == b"cache-control: no-store\r\npragma: no-cache\r\n"


@pytest.mark.parametrize("scope", [{}, {"extensions": {}}, {"extensions": {"http.response.push": {}}}])
async def test_in_two_messages_for_a_server_that_knows_nothing_of_it(scope: dict[str, Any]):
    headers = [*COMMON.headers, (b"content-length", b"2"), *MORE]
    assert await told(scope) == [
        {"type": "http.response.start", "status": 200, "headers": headers},
        {"type": "http.response.body", "body": b"ok"},
    ]


async def test_in_one_for_a_server_that_offers_it():
    message = {"type": WHOLE, "status": 200, "lines": COMMON, "more": MORE, "body": b"ok"}
    assert await told({"extensions": OFFERED}) == [message]


async def test_the_frame_of_the_pages_sees_every_head():
    scopes: list[Any] = []

    async def page(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(dict(scope))

    async def nothing(*said: Any) -> Any: ...

    await Frame(page)({"type": "http", "headers": [], "extensions": OFFERED}, nothing, nothing)
    assert scopes[0]["extensions"] == {} and OFFERED == {WHOLE: {}}
