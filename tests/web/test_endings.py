"""An app that fails, says nothing or waits for the peer to go is told and ended as ASGI has it, with either parser."""

import asyncio
import gc
import logging
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.listening import Echo, Listener
from valetkey.web.listener import Limits

LONG = Limits(head=30, body=30, idle=30, per_address=1000)
BODY = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
OK = {"type": "http.response.body", "body": b"ok"}


class Odd(Echo):
    """/wait hears what comes after the body; other paths say as many messages of an answer as they have letters, and
    those in capitals fail then."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"].strip("/")
        self.scopes.append(scope)
        if path == "echo":
            return await super().__call__(scope, receive, send)
        while (message := await receive()).get("more_body"):
            pass
        if path == "wait":
            self.heard.append((len(message["body"]), None))
            self.heard[-1] = (self.heard[-1][0], (await receive())["type"])
            return None
        if path == "sleep":
            self.stuck += 1
            try:
                await asyncio.Event().wait()  # for ever: it is to be cancelled
            except asyncio.CancelledError:
                self.heard.append("cancelled")
                raise
        for message in [START, OK][: len(path.strip("-"))]:
            await send(message)
        if path.isupper() or path == "-":
            raise ValueError("the app is broken")
        return None


@pytest.fixture(scope="module", params=["httptools", "h11"])
def parser(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def odd(parser: str) -> Iterator[Listener]:
    with Listener(LONG, parser, Odd()) as listener:
        yield listener


def heard(door: Listener) -> list[Any]:
    assert isinstance(door.app, Odd)
    return door.app.heard


@pytest.mark.parametrize("path", [b"/", b"/-"])
def test_an_app_that_fails_or_returns_before_it_answers_is_a_500(odd: Listener, path: bytes) -> None:
    with odd.connect(BODY % (path, 2, b"hi")) as peer:
        assert peer.ends().startswith(b"HTTP/1.1 500 ")
    odd.until(lambda: not odd.server.server_state.tasks)


@pytest.mark.parametrize("path", [b"/a", b"/A"])
def test_an_app_that_stops_in_its_answer_leaves_no_whole_one(odd: Listener, path: bytes) -> None:
    with odd.connect(BODY % (path, 2, b"hi")) as peer:
        assert not peer.ends().endswith(b"ok")
    odd.until(lambda: not odd.server.server_state.tasks)


def test_an_app_that_fails_behind_its_answer_ends_the_connection(odd: Listener) -> None:
    with odd.connect(BODY % (b"/AB", 2, b"hi")) as peer:
        assert peer.answer()[2] == b"ok"
        assert peer.ends() == b""
    odd.until(lambda: not odd.server.server_state.tasks)


def test_two_requests_of_one_connection_share_nothing(odd: Listener) -> None:
    with odd.connect(BODY % (b"/ab?x=1", 2, b"hi")) as peer:
        assert peer.answer()[2] == b"ok"
        peer.send(b"GET /a%2Fb HTTP/1.1\r\nHost: b\r\nX-B: 1\r\n\r\n")
        assert peer.answer()[2] == b"ok"
    assert isinstance(odd.app, Odd)
    first, second = odd.app.scopes
    assert (first["path"], first["raw_path"], first["query_string"]) == ("/ab", b"/ab", b"x=1")
    assert (second["path"], second["raw_path"], second["query_string"]) == ("/a/b", b"/a%2Fb", b"")
    assert [first["method"], second["method"]] == ["POST", "GET"]
    assert first["headers"] == [(b"host", b"a"), (b"content-length", b"2")]
    assert second["headers"] == [(b"host", b"b"), (b"x-b", b"1")]
    assert first["state"] is not second["state"]


@pytest.mark.parametrize("size", [0, 2, 300_000])  # the last: reading had been paused
def test_who_asks_again_after_the_body_waits_for_the_peer_to_go(odd: Listener, size: int) -> None:
    with odd.connect(BODY % (b"/wait", size, b"x" * size)):
        odd.until(lambda: len(heard(odd)) == 1)
        odd.until(lambda: len(odd.server.server_state.tasks) == 1)
        assert heard(odd)[0][1] is None
    odd.until(lambda: heard(odd)[0][1] is not None)
    assert heard(odd)[0][1] == "http.disconnect"
    odd.until(lambda: not odd.server.server_state.tasks)


def test_a_large_body_comes_whole_and_the_next_request_is_read(odd: Listener) -> None:
    with odd.connect() as peer:
        for _ in range(2):
            peer.send(BODY % (b"/echo", 300_000, b"x" * 300_000))
            assert len(peer.answer()[2]) == 300_000


def test_a_body_is_asked_for_where_the_peer_waits_to_be_asked(odd: Listener) -> None:
    expects = BODY.replace(b"Host: a", b"Host: a\r\nExpect: 100-continue")
    with odd.connect(expects % (b"/echo", 2, b"")) as peer:
        assert peer.socket.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.send(b"hi")
        assert peer.answer()[2] == b"hi"
        peer.send(BODY % (b"/echo", 3, b"you"))  # the next one does not wait
        assert peer.answer()[2] == b"you"


def test_whoever_is_cancelled_at_the_end_hears_it(odd: Listener) -> None:
    with odd.connect(BODY % (b"/sleep", 2, b"hi")) as peer:
        odd.until(lambda: odd.app.stuck == 1)
        (task,) = odd.server.server_state.tasks
        task.get_loop().call_soon_threadsafe(task.cancel)
        assert peer.ends().startswith(b"HTTP/1.1 500 ")
    assert heard(odd) == ["cancelled"]
    odd.until(lambda: not odd.server.server_state.tasks)


@pytest.mark.parametrize("path", [b"/echo", b"/-", b"/A", b"/a"])
@pytest.mark.parametrize("pieces", [1, 2])
def test_of_a_connection_that_is_gone_nothing_waits_for_the_collector(path: bytes, pieces: int) -> None:
    logging.disable()  # what is logged is kept, with all that it refers to
    gc.disable()
    try:
        with Listener(LONG, "httptools", Odd()) as odd, odd.connect() as peer:
            odd.until(lambda: bool(odd.server.server_state.connections))
            (gone,) = map(weakref.ref, odd.server.server_state.connections)
            request = BODY % (path, 2, b"hi")
            if pieces == 2:
                peer.send(request[:-1])
                odd.until(lambda: bool(odd.server.server_state.tasks))
            peer.send(request[-1:] if pieces == 2 else request)
            assert peer.socket.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.1 500", b"")
            peer.socket.close()
            odd.until(lambda: gone() is None)
    finally:
        gc.enable()
        logging.disable(logging.NOTSET)
