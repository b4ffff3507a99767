"""A door that is shut: who was in line is let in, who comes later meets nobody, and it can be opened again."""

import socket
from collections.abc import Iterator

import pytest

from valetkey.cli import door


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(2)
        yield made


def knock(listening: socket.socket, patience: float = 2.0) -> socket.socket:
    return socket.create_connection(listening.getsockname(), timeout=patience)


def test_who_is_in_line_is_let_in_and_heard(listening: socket.socket) -> None:
    with knock(listening) as early:
        door.shut(listening)
        with pytest.raises(TimeoutError):
            knock(listening, 0.05)
        accepted, _ = listening.accept()
        with accepted:
            early.sendall(b"POST")
            assert accepted.recv(10) == b"POST"
            accepted.sendall(b"200")
            assert early.recv(10) == b"200"


def test_it_opens_again(listening: socket.socket) -> None:
    door.open_again(listening)  # one that is open stays so
    door.shut(listening)
    door.open_again(listening)
    with knock(listening), listening.accept()[0]:
        pass
