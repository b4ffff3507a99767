"""A uvicorn with our listener in front of a tiny app, on a thread of its own, and sockets to treat it badly."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

import uvicorn

from valetkey.web.listener import Limits, Listening

PATIENCE = 10.0


class Echo:
    """Answers every request with the bytes of its body.

    /stuck waits until `go` is set; /deaf answers at once; /curt does so too, and closes; /large says a lot.
    """

    def __init__(self) -> None:
        self.go = threading.Event()
        self.stuck = 0
        self.headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while scope["path"] not in ("/deaf", "/curt"):
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if scope["path"] == "/stuck":
            self.stuck += 1
            await asyncio.get_running_loop().run_in_executor(None, self.go.wait, PATIENCE)
        if scope["path"] == "/large":
            body = b"x" * 30_000_000
        self.headers = scope["headers"]
        close = [(b"connection", b"close")] if scope["path"] == "/curt" else []
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": [*headers, *close]})
        await send({"type": "http.response.body", "body": body})


class Listener:
    """`with Listener(limits, parser) as listener:` and then `listener.connect()`."""

    def __init__(self, limits: Limits, parser: str, app: Echo | None = None, loop: Any = "asyncio") -> None:
        self.app = app or Echo()
        self.listening = Listening(limits, parser)
        kind: Any = self.listening
        config = uvicorn.Config(
            self.app, http=kind, ws="none", lifespan="off", log_config=None, access_log=False,
            loop=loop, proxy_headers=False, interface="asgi3",
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],), daemon=True)

    def __enter__(self) -> "Listener":
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.app.go.set()
        self.server.should_exit = True
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()

    def connect(self, sends: bytes = b"") -> "Peer":
        """A new connection that has sent these bytes."""
        peer = Peer(self.port)
        peer.send(sends)
        return peer

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something inside the server."""
        waited = threading.Event()
        for _ in range(int(PATIENCE / 0.005)):
            if is_so():
                return
            waited.wait(0.005)
        raise AssertionError("it did not come to that")


class Peer:
    """A client's end of a connection, with a deadline for everything."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            got = self.socket.recv(1)
            assert got, f"the connection ended after {head!r}"
            head += got
        first, *lines = head.decode().rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = b""
        while len(body) < int(headers["content-length"]):
            body += self.socket.recv(int(headers["content-length"]) - len(body))
        return int(first.split()[1]), headers, body

    def refusal(self) -> int:
        """The status of a refusal, after which the connection has ended."""
        status, headers, body = self.answer()
        said = json.loads(body)
        assert said["code"] == status and said["error_type"] == "OAuthException" and said["error_message"]
        assert headers["content-type"] == "application/json"
        assert headers["cache-control"] == "no-store" and headers["connection"] == "close"
        assert self.ends() == b""
        return status

    def ends(self) -> bytes:
        """What still comes until the other side closes; a TimeoutError if it does not."""
        rest = b""
        try:
            while data := self.socket.recv(65536):
                rest += data
        except ConnectionResetError:
            pass
        return rest

    def closed_already(self) -> bool:
        """Whether the other side has closed."""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(65536) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)
