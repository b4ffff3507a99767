"""A tiny HTTP client for campaigns: a connection for one request, or one that is kept; only a whole answer counts."""

import asyncio
import json
import re
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlencode

HEADER = re.compile(rb"\r\n([^:\r\n]+):[ \t]*([^\r\n]*)")


@dataclass(frozen=True)
class Reply:
    status: int
    head: bytes
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode().lower(): value.decode("latin-1") for name, value in HEADER.findall(self.head)}

    def json(self) -> dict:
        return json.loads(self.body)


def request(
    path: str, form: dict[str, str] | None = None, cookie: str = "", more: str = "", method: str = ""
) -> bytes:
    """GET, or POST a form; more: header lines, each with its line end."""
    method = method or ("GET" if form is None else "POST")
    body = urlencode(form).encode() if form is not None else b""
    if form is not None:
        more += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
    if cookie:
        more += f"Cookie: {cookie}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: valetkey.test\r\n{more}\r\n".encode("latin-1") + body


async def ask(
    port: int, path: str, form: dict[str, str] | None = None, cookie: str = "", accept: str = "*/*"
) -> Reply:
    """One request on a connection of its own. Raises OSError when the server dies before its answer is whole."""
    async with Line(port) as line:
        return await line.send(request(path, form, cookie, f"Accept: {accept}\r\nConnection: close\r\n"))


class Line(asyncio.Protocol):
    """A connection that is kept; requests may follow one another before the first is answered."""

    # from another address than the server's: while that is down a connection could be made to itself
    def __init__(self, port: int, address: str = "127.0.0.2") -> None:
        self.port, self.address = port, address
        self.waiting: deque[tuple[asyncio.Future[Reply], bool]] = deque()
        self.buffer = bytearray()
        self.transport: asyncio.Transport | None = None

    async def __aenter__(self) -> "Line":
        """Connect, from the given address of this machine. Raises OSError."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, "127.0.0.1", self.port, local_addr=(self.address, 0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def send(self, data: bytes) -> asyncio.Future[Reply]:
        """The future answer; ConnectionResetError when it does not come."""
        assert self.transport is not None, "not connected"
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if self.transport.is_closing():
            future.set_exception(ConnectionResetError("the connection is closed"))
        else:
            self.waiting.append((future, data.startswith(b"HEAD ")))
            self.transport.write(data)
        return future

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self.waiting and (reply := self.take(self.waiting[0][1])) is not None:
            future, _ = self.waiting.popleft()
            if not future.done():
                future.set_result(reply)

    def take(self, bodiless: bool) -> Reply | None:
        """The answer that has come in whole."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self.buffer[:end])
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        status = int(head[9:12])
        assert length or status == 204, head
        whole = end + 4 + (int(length[1]) if length and not bodiless else 0)
        if len(self.buffer) < whole:
            return None
        body = bytes(self.buffer[end + 4 : whole])
        del self.buffer[:whole]
        return Reply(status, head, body)

    def connection_lost(self, exc: Exception | None) -> None:
        for future, _ in self.waiting:
            if not future.done():
                future.set_exception(ConnectionResetError("the answer was cut short"))
        self.waiting.clear()
