"""Requests that came before the answer to the last: also the one being answered learns how the connection fares."""

import pytest

from tests.web.listening import Listener
from tests.web.test_listener import GET, LONG, POST

STUCK = b"GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n"
WHAT = b"what?\r\n\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def test_who_was_turned_away_is_answered_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """uvloop raises for what is written to nobody; in the log that would look like a fault of ours."""
    with Listener(LONG, "httptools", loop="uvloop") as listener, listener.connect(STUCK + GET + WHAT) as peer:
        listener.until(lambda: listener.app.stuck == 1)
        assert peer.ends() == b""
        listener.app.go.set()
        listener.until(lambda: not listener.server.server_state.tasks)
    assert [each.getMessage() for each in caplog.records if each.levelname == "ERROR"] == []


def test_what_is_refused_is_not_the_answer_to_what_came_before() -> None:
    with Listener(LONG, "httptools") as listener, listener.connect(STUCK) as peer:
        listener.until(lambda: listener.app.stuck == 1)
        peer.send(CHUNKED + WHAT)
        assert peer.ends() == b""  # the order of answers is all that says which is whose


@pytest.mark.parametrize("parser", ["httptools", "h11"])
def test_many_requests_in_one_piece_are_no_large_head(parser: str) -> None:
    """They arrive together once reading goes on, and the last is not complete."""
    many = 3000
    with Listener(LONG, parser) as listener, listener.connect(STUCK + GET) as peer:
        listener.until(lambda: listener.app.stuck == 1)
        peer.send(GET * many + b"GET / HT")
        listener.app.go.set()
        assert {peer.answer()[0] for _ in range(2 + many)} == {200}
        peer.send(b"TP/1.1\r\nHost: a\r\n\r\n")
        assert peer.answer()[0] == 200
