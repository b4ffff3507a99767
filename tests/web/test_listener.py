"""The door keeps slow, greedy and tricky peers from everybody else (R17, J1, J6, J7), with either parser."""

import contextlib
import time
from collections.abc import Iterator

import pytest

from tests.web.listening import Listener, Peer
from valetkey.settings import ServerSettings
from valetkey.web.listener import Limits, connection_kind, limits_of

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
SHORT = Limits(head=0.25, body=0.25, idle=0.4, linger=0.2, per_address=1000)
LONG = Limits(head=30, body=30, idle=30, per_address=1000)


@pytest.fixture(scope="module", params=["httptools", "h11"])
def parser(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture(scope="module")
def door(parser: str) -> Iterator[Listener]:
    """Deadlines that no test reaches."""
    with Listener(LONG, parser) as listener:
        yield listener


@pytest.fixture(scope="module")
def hasty(parser: str) -> Iterator[Listener]:
    """Deadlines that every test reaches."""
    with Listener(SHORT, parser) as listener:
        yield listener


# What is served


def test_requests_are_answered_one_after_the_other(door: Listener) -> None:
    with door.connect(GET) as peer:
        assert peer.answer()[0] == 200
        peer.send(POST + b"Content-Length: 5\r\n\r\nhel")
        peer.send(b"lo")
        assert peer.answer()[2] == b"hello"


def test_pipelined_requests_are_answered_in_their_order(door: Listener) -> None:
    with door.connect(b"".join(POST + b"Content-Length: 1\r\n\r\n%d" % n for n in range(5))) as peer:
        assert [peer.answer()[2] for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]


def test_a_trailer_never_becomes_a_header(door: Listener) -> None:
    chunked = b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nAuthorization: Bearer x\r\n\r\n"
    with door.connect(POST + chunked) as peer:
        assert peer.answer()[2] == b"hello"
    assert b"authorization" not in dict(door.app.headers)


def test_another_protocol_is_not_spoken(door: Listener) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n\r\n"
    with door.connect(GET[:-2] + upgrade) as peer:
        assert peer.answer()[0] == 200


def test_http_1_0_needs_no_host(door: Listener) -> None:
    with door.connect(b"GET / HTTP/1.0\r\n\r\n") as peer:
        assert peer.answer()[0] == 200
        assert peer.ends() == b""


def test_the_largest_head_that_is_allowed(door: Listener) -> None:
    headers = b"".join(b"X-%02d: %s\r\n" % (n, b"v" * 300) for n in range(98))
    with door.connect(b"GET /" + b"u" * 8000 + b" HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n") as peer:
        assert peer.answer()[0] == 200


# What is refused at once

CHUNKED = b"Transfer-Encoding: chunked\r\n"
REFUSED = {
    "not http": (400, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"),
    "no version": (400, b"GET /\r\n\r\n"),
    "no path": (400, b"GET ?x HTTP/1.1\r\nHost: a\r\n\r\n"),
    "CONNECT": (400, b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    "no Host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "two Hosts": (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    "Content-Length and Transfer-Encoding": (
        400,
        POST + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    ),
    "Transfer-Encoding and Content-Length": (400, POST + CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n"),
    "two Content-Lengths": (400, POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    "the same Content-Length twice": (400, POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    "a list of Content-Lengths": (400, POST + b"Content-Length: 5, 5\r\n\r\nhello"),
    "a signed Content-Length": (400, POST + b"Content-Length: +5\r\n\r\nhello"),
    "two Transfer-Encodings": (400, POST + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n"),
    "a folded header": (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
    "a header folded with a tab": (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n"),
    "a space before the colon": (400, b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    "bare line feeds": (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    "a control character": (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n"),
    "NUL": (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n"),
    "a broken chunk": (400, POST + CHUNKED + b"\r\nzz\r\nhello\r\n0\r\n\r\n"),
    "gzip, chunked": (400, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "chunked in HTTP/1.0": (400, b"POST / HTTP/1.0\r\nHost: a\r\n" + CHUNKED + b"\r\n0\r\n\r\n"),
    "a long address": (414, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    "an address of a megabyte": (414, b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a large header": (431, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 33_000 + b"\r\n\r\n"),
    "a header of a megabyte": (431, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n"),
    "many headers": (431, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 101 + b"\r\n"),
    "a flood of headers": (431, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 100_000 + b"\r\n"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_and_closed(door: Listener, what: str) -> None:
    """J7: nothing that two servers could read differently gets through; the answer is read before the end."""
    status, sent = REFUSED[what]
    with door.connect(sent) as peer:
        assert peer.refusal() == status


def test_nothing_behind_a_refused_request_is_served(door: Listener) -> None:
    before = door.server.server_state.total_requests
    with door.connect(REFUSED["Content-Length and Transfer-Encoding"][1] + GET) as peer:
        assert peer.refusal() == 400
    assert door.server.server_state.total_requests == before


def test_a_second_request_may_be_refused_too(door: Listener) -> None:
    with door.connect(GET) as peer:
        assert peer.answer()[0] == 200
        peer.send(REFUSED["two Content-Lengths"][1])
        assert peer.refusal() == 400


def test_an_app_that_closes_early_is_heard_all_the_same(door: Listener) -> None:
    """J1: a body of many megabytes is refused by its first bytes, and the peer can read so when it has sent it all."""
    head = b"POST /curt HTTP/1.1\r\nHost: a\r\nContent-Length: 32000000\r\n\r\n"
    for _ in range(5):
        with door.connect(head + b"x" * 1000) as peer:
            for _ in range(32):
                peer.send(b"x" * 999_000)
            status, headers, _ = peer.answer()
            assert (status, headers["connection"]) == (200, "close")
            assert peer.ends() == b""


# What is too slow


def test_a_slow_head_is_told_so(hasty: Listener) -> None:
    with hasty.connect(b"GET / HTTP/1.1\r\nHost: a\r\nX: ") as peer:
        assert peer.refusal() == 408


def test_a_slow_body_is_told_so(hasty: Listener) -> None:
    with hasty.connect(POST + b"Content-Length: 5\r\n\r\nhel") as peer:
        assert peer.refusal() == 408


def test_a_body_that_is_asked_for_and_does_not_come(hasty: Listener) -> None:
    with hasty.connect(POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n") as peer:
        assert peer.ends().startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408 ")


def test_a_peer_that_says_nothing_is_left_without_a_word(hasty: Listener) -> None:
    with hasty.connect() as peer:
        assert peer.ends() == b""


def test_an_idle_connection_ends_without_a_word(hasty: Listener) -> None:
    with hasty.connect(GET) as peer:
        assert peer.answer()[0] == 200
        assert peer.ends() == b""


def test_the_second_head_has_its_deadline_too(hasty: Listener) -> None:
    with hasty.connect(GET) as peer:
        assert peer.answer()[0] == 200
        peer.send(b"GET / HT")
        assert peer.refusal() == 408


def test_a_body_that_nobody_waits_for_has_its_deadline_too(hasty: Listener) -> None:
    """The app has answered without it."""
    with hasty.connect(b"POST /deaf HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel") as peer:
        assert peer.answer()[0] == 200
        assert peer.ends() == b""


def test_dripping_does_not_help(hasty: Listener) -> None:
    """The deadline is for the whole head, however often a byte comes."""
    with hasty.connect(b"GET / HTTP/1.1\r\nHost: a\r\nX: ") as peer:
        peer.socket.settimeout(0.05)
        until = time.monotonic() + 5
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() < until:
                with contextlib.suppress(TimeoutError):
                    if peer.socket.recv(65536).startswith(b"HTTP/1.1 408 "):
                        return
                peer.send(b"x")
        raise AssertionError("the connection was still open after five seconds")


def test_a_peer_that_does_not_read_its_answer_is_cut_off(hasty: Listener) -> None:
    with hasty.connect(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n"):
        hasty.until(lambda: "answer_unread" in seen(hasty))


def test_we_ourselves_may_be_slow(parser: str) -> None:
    """No deadline of a peer runs while its complete request is being answered, nor for what it has pipelined."""
    sends = b"GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n" + GET + b"GET / HT"
    with Listener(SHORT, parser) as listener, listener.connect(sends) as peer:
        listener.until(lambda: listener.app.stuck == 1)
        with listener.connect() as bystander:
            assert bystander.ends() == b""  # a deadline has passed
        listener.app.go.set()
        assert [peer.answer()[0], peer.answer()[0]] == [200, 200]
        peer.send(b"TP/1.1\r\nHost: a\r\n\r\n")
        assert peer.answer()[0] == 200


def seen(listener: Listener) -> dict[str, int]:
    """Why connections were turned away."""
    watch = listener.listening.watch
    return watch.turned_away if watch else {}


# 150 slow connections (J6)


@pytest.mark.parametrize(
    "says",
    [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX: ", POST + b"Content-Length: 50\r\n\r\nhel"],
    ids=["nothing at all", "half a head", "half a body"],
)
def test_150_slow_connections_delay_nobody_and_end(parser: str, says: bytes) -> None:
    limits = Limits(head=0.5, body=0.5, idle=0.5, linger=0.1, per_address=100)
    with Listener(limits, parser) as listener, contextlib.ExitStack() as crowd:
        began = time.monotonic()
        slow = [crowd.enter_context(listener.connect(says)) for _ in range(150)]
        for _ in range(20):
            asked = time.monotonic()
            with listener.connect(GET) as peer:
                assert peer.answer()[0] == 200
            assert time.monotonic() - asked < 1
        for peer in slow:
            peer.ends()
        assert time.monotonic() - began < 5
        listener.until(lambda: listener.listening.watch is not None and not listener.listening.watch.everyone)
        listener.until(
            lambda: listener.listening.watch is not None and listener.listening.watch.timer is None
        )


# How many


def test_the_oldest_that_only_waits_makes_room(parser: str) -> None:
    limits = Limits(head=30, body=30, idle=30, per_address=4)
    with Listener(limits, parser) as listener, contextlib.ExitStack() as crowd:

        def connect(sends: bytes) -> Peer:
            return crowd.enter_context(listener.connect(sends))

        busy = connect(b"GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n")
        listener.until(lambda: listener.app.stuck == 1)
        half, idle, silent = connect(b"GET / HT"), connect(GET), connect(b"")
        assert idle.answer()[0] == 200
        newest = connect(GET)
        assert newest.answer()[0] == 200
        assert half.refusal() == 429
        assert not busy.closed_already() and not idle.closed_already() and not silent.closed_already()
        another = connect(GET)
        assert another.answer()[0] == 200
        assert idle.ends() == b""
        listener.app.go.set()
        assert busy.answer()[0] == 200


def test_when_everybody_is_being_answered_the_newest_goes(parser: str) -> None:
    with Listener(Limits(per_address=2), parser) as listener, contextlib.ExitStack() as crowd:
        stuck = b"GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n"
        busy = [crowd.enter_context(listener.connect(stuck)) for _ in range(2)]
        listener.until(lambda: listener.app.stuck == 2)
        with listener.connect() as newest:
            assert newest.ends() == b""
        listener.app.go.set()
        assert [peer.answer()[0] for peer in busy] == [200, 200]


def test_there_is_a_limit_in_all_too(parser: str) -> None:
    limits = Limits(in_all=2, exempt=("127.0.0.0/8",))
    with Listener(limits, parser) as listener, contextlib.ExitStack() as crowd:
        oldest, *others = [crowd.enter_context(listener.connect(sends)) for sends in (b"", GET, GET)]
        assert [peer.answer()[0] for peer in others] == [200, 200]
        assert oldest.ends() == b""


def test_our_own_proxies_may_have_many_connections(parser: str) -> None:
    limits = Limits(per_address=2, exempt=("127.0.0.0/8",))
    with Listener(limits, parser) as listener, contextlib.ExitStack() as crowd:
        peers = [crowd.enter_context(listener.connect(GET)) for _ in range(5)]
        assert [peer.answer()[0] for peer in peers] == [200] * 5
        assert not any(peer.closed_already() for peer in peers)


def test_the_end_cuts_off_nobody_who_was_told_no(parser: str) -> None:
    """A close with bytes unread is a reset, which overtakes the answer."""
    with Listener(LONG, parser) as listener, listener.connect(b"\x00\r\n\r\n") as peer:
        assert peer.answer()[0] == 400 and peer.ends() == b""
        (connection,) = listener.server.server_state.connections
        connection.shutdown()
        assert not connection.transport.is_closing()


def test_the_limits_are_the_settings() -> None:
    server = ServerSettings(
        head_deadline=1, body_deadline=2, idle_deadline=3, connections_per_address=4, trusted_proxies=("10.0.0.0/8",)
    )  # fmt: skip
    assert limits_of(server, 5) == Limits(
        head=1, body=2, idle=3, per_address=4, in_all=5, exempt=("10.0.0.0/8",)
    )


def test_the_faster_parser_is_taken_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert connection_kind("auto").__name__ == "HttpToolsConnection"
    monkeypatch.setitem(__import__("sys").modules, "valetkey.web.listener.with_httptools", None)
    assert connection_kind("auto").__name__ == "H11Connection"
    with pytest.raises(ImportError):
        connection_kind("httptools")
