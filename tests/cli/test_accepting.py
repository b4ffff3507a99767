"""Workers on one socket share its connections evenly, and wait for nobody who is stuck."""

import asyncio
import socket
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.serving import Serving, ports_of
from tests.waiting import PATIENCE
from valetkey.cli.accepting import NOBODY, Accepting, Shares


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.setblocking(False)
        yield made


async def called(listening: socket.socket, times: int) -> None:
    """So many connect and are accepted."""
    for _ in range(times):
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        assert await reader.read(1) == b"!"
        writer.close()
        await writer.wait_closed()


class Greets(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        transport.write(b"!")
        transport.close()


@pytest.mark.parametrize("other", [NOBODY, 0, 5])
async def test_whoever_the_others_are_everybody_is_accepted(listening: socket.socket, other: int) -> None:
    """Alone; beside one that has none and never accepts, with five connections of our own; beside one that has five."""
    shares, mine = Shares(2), [1, 2, 3, 4, 5]
    shares.note(1, other)
    one = Accepting(listening, Greets, mine, (shares, 0))
    async with asyncio.timeout(10):
        await called(listening, 20)
    assert one.note() == 5 and shares.others(1) == [5]
    one.close()
    assert shares.others(1) == [] and not one.is_serving()
    one.close()


def test_sixty_connections_at_once_on_three_workers(fresh_sqlite: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with Serving(f"sqlite:///{fresh_sqlite}", "--workers", "3", **told) as server:
            assert manager.recv(4096) == b"READY=1"  # all three serve
            least = statistics.median(min(sixty(server)) for _ in range(5))
            assert least >= 10
            assert server.ends() == 0


def sixty(server: Serving) -> list[int]:
    """Connect sixty times at once; how many each worker has got."""
    kept = [server.connect(b"GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(60)]
    for connection in kept:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    shares = [len(ports_of(pid, server.port)) for pid in server.children()]
    for connection in kept:
        connection.close()
    assert sum(shares) == 60
    print(shares)
    return shares
