"""Names become addresses: the machine's resolver, in threads of its own, few at a time and not for long (R20, L4)."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from valetkey.server.target import FetchFailed

MOST = 8  # names at a time
PATIENCE = 3.0  # seconds for one, so that some are left for the document

LookUp = Callable[..., Sequence[Any]]


class Resolver:
    """A name that does not answer holds one thread, however many ask for it, and nobody for longer than PATIENCE.

    The machine gives up on a name much later than those who asked, so the thread is taken until then.
    """

    def __init__(
        self, look_up: LookUp = socket.getaddrinfo, most: int = MOST, patience: float = PATIENCE
    ) -> None:
        self.look_up, self.patience = look_up, patience
        self.threads = ThreadPoolExecutor(most, "valetkey-resolve")
        self.free = asyncio.Semaphore(most)
        self.under_way: dict[str, asyncio.Task[Sequence[str]]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host. Raises OSError, FetchFailed."""
        if host not in self.under_way:
            self.under_way[host] = task = asyncio.create_task(self.found(host, port))
            task.add_done_callback(lambda ended: self.forget(host, ended))
        try:
            async with asyncio.timeout(self.patience):
                return await asyncio.shield(self.under_way[host])
        except TimeoutError:
            raise FetchFailed("name_slow") from None

    async def found(self, host: str, port: int) -> Sequence[str]:
        """Ask the machine, once a thread is free; who waits too long for one asks nothing. Raises OSError."""
        async with asyncio.timeout(self.patience):
            await self.free.acquire()
        try:
            loop = asyncio.get_running_loop()
            answers = await loop.run_in_executor(
                self.threads, lambda: self.look_up(host, port, type=socket.SOCK_STREAM)
            )
        finally:
            self.free.release()
        return [str(address[0]) for *_, address in answers]

    def forget(self, host: str, ended: asyncio.Task[Sequence[str]]) -> None:
        """It is known, or will not be; nobody may be left to hear which."""
        del self.under_way[host]
        if not ended.cancelled():
            ended.exception()
