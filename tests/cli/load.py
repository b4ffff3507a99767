"""Clients that never stop asking, on connections they keep and on new ones; each answer that failed is kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.torture.wire import Line, request
from tests.waiting import becomes

PATH = "/v1/users/self?access_token=unknown"
PAUSE = 0.005


class Load:
    """`async with loading(port) as load:` and then `await load.more(100)`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers = 0
        self.failures: list[str] = []

    async def kept(self) -> None:
        """One client that keeps its connection for as long as the server does."""
        await self.ask(request(PATH))

    async def fresh(self) -> None:
        """One client that comes anew each time."""
        await self.ask(request(PATH, more="Connection: close\r\n"))

    async def ask(self, question: bytes) -> None:
        """Ask on one connection after the other."""
        while True:
            async with Line(self.port) as line:
                kept = True
                while kept:
                    kept = await self.asked(line, question)
                    await asyncio.sleep(PAUSE)

    async def asked(self, line: Line, question: bytes) -> bool:
        """Ask once; whether the connection can be kept."""
        try:
            reply = await line.send(question)
        except OSError as error:
            self.failures.append(repr(error))
            return False
        self.answers += 1
        if reply.status != 400:
            self.failures.append(f"{reply.status} {reply.body!r}")
        return reply.headers.get("connection") != "close"

    async def more(self, answers: int) -> None:
        """Wait for so many answers more."""
        wanted = self.answers + answers
        await becomes(lambda: self.answers >= wanted, f"{answers} answers more", 60)


@asynccontextmanager
async def loading(port: int, kept: int = 8, fresh: int = 2) -> AsyncIterator[Load]:
    """Load, until the block ends."""
    load = Load(port)
    tasks = [asyncio.create_task(load.kept()) for _ in range(kept)]
    tasks += [asyncio.create_task(load.fresh()) for _ in range(fresh)]
    try:
        yield load
        for task in tasks:
            assert not task.done(), task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the connections are closed in the next turn
