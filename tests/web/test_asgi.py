"""The app behind servers that are not ours, granian and hypercorn: a classic flow, its limits, start and end (R17)."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.serving import leaves
from tests.torture.house import House
from tests.torture.wire import ask
from tests.waiting import PATIENCE, until
from valetkey.web.asgi import Held

COMMANDS = {
    "granian": "granian --interface asgi --factory --no-ws --host 127.0.0.1 --port {port} --workers 2"
    " valetkey.web.asgi:application",
    "hypercorn": "hypercorn --bind 127.0.0.1:{port} --workers 1 valetkey.web.asgi:application()",
}


class Elsewhere(House):
    """Our app, behind another server."""

    kind = ""

    def command(self) -> list[str]:
        program, *words = COMMANDS[self.kind].format(port=self.port).split()
        return [str(Path(sys.executable).with_name(program)), *words]


@pytest.fixture(params=COMMANDS)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Elsewhere]:
    made = Elsewhere(f"sqlite:///{tmp_path}/elsewhere.db", tmp_path / "log")
    made.kind = request.param
    async with made.standing() as made.people:
        yield made


def raw(port: int, request: bytes) -> bytes:
    """The first line of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline()


def raw_log(house: House) -> bytes:
    return house.log.read_bytes()


async def test_the_classic_flow_its_limits_and_a_proper_end(house: Elsewhere) -> None:
    person = house.people[1]
    code = await house.authorize(person)
    token = await house.exchange(code)
    assert token is not None and await house.lives(token)
    assert await house.exchange(code) is None and not await house.lives(token)
    # sizes
    assert (await ask(house.port, "/oauth/access_token", {"code": "c" * 70_000})).status == 413
    assert (await ask(house.port, "/robots.txt?" + "q" * 9000)).status in (400, 414)
    head = b"GET /robots.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    assert b" 431 " in raw(house.port, head + b"a: b\r\n" * 99 + b"\r\n")
    assert b" 200 " in raw(house.port, head + b"\r\n")
    assert b" 400 " in raw(house.port, head + b"Host: b\r\n\r\n")
    # the end: requests under way are finished, and the store is closed, so that nothing waits beside the file
    half = socket.create_connection(("127.0.0.1", house.port), timeout=PATIENCE)
    with half:
        half.sendall(b"POST /oauth/access_token HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nclien")
        assert await house.healthy()  # the one before was accepted
        assert house.process is not None
        if house.kind == "granian":  # a worker that has not started yet does not hear that it should end
            until(lambda: raw_log(house).count(b"Started worker-") == 2)
        workers = leaves(house.process.pid)
        house.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            answers = house.kind == "granian"  # hypercorn listens until its last request is answered
            while answers:
                answers = await house.healthy()
        half.sendall(b"t_id=")
        assert half.recv(65536).startswith(b"HTTP/1.1 400 ")
    until(lambda: house.process is not None and house.process.poll() is not None)
    assert workers and house.process.returncode in (0, -signal.SIGTERM)
    assert sorted(file.name for file in house.log.parent.iterdir()) == [
        "elsewhere.db",
        "elsewhere.db.master",
        "log",
    ]
    assert b"Traceback" not in raw_log(house)


async def test_a_body_that_never_comes_is_not_waited_for() -> None:
    """The deadline is the app's own there; our door has it elsewhere."""
    heard: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        heard.extend([await receive(), await receive()])

    first = [{"type": "http.request", "body": b"a", "more_body": True}]

    async def receive() -> Any:
        return first.pop() if first else await asyncio.get_running_loop().create_future()

    scope = {
        "type": "http", "path": "/", "query_string": b"", "http_version": "1.1", "headers": [(b"host", b"a")],
    }  # fmt: skip
    await Held(app, 0.05)(scope, receive, app)
    assert [message["type"] for message in heard] == ["http.request", "http.disconnect"]
