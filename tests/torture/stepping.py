"""The token endpoint in steps: it stands still before each question to the store, and before and after each write.

Whoever drives it says who goes on when, so that anybody may come in between, or the process may end right there.
"""

import types
from collections.abc import Coroutine, Generator
from typing import Any

from valetkey.protocol.params import Params
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.headers import NO_HEADERS
from valetkey.server import token as acts
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.store.memory import MemoryStore

NOTHING = Params(())


@types.coroutine
def pause() -> Generator[None, None, None]:
    yield


class Stepped(MemoryStore):
    """The store in memory, with a stop before it is asked and on both sides of a write."""

    async def refresh_facts(self, client_id: str, digest: bytes) -> Any:
        await pause()
        return await super().refresh_facts(client_id, digest)

    async def apply(self, changes: Any) -> None:
        await pause()
        await super().apply(changes)
        await pause()


class Request:
    """One token request under way; `status` and `body` once it was answered."""

    def __init__(self, server: AuthorizationServer, fields: dict[str, str]) -> None:
        work = acts.token(server, OAUTH21, Params(fields.items()), NOTHING, NO_HEADERS)
        self.work: Coroutine[Any, Any, acts.Reply] = work
        self.reply: acts.Reply | None = None

    def step(self) -> bool:
        """Go on to the next stop; whether it is answered now."""
        try:
            waits = self.work.send(None)
        except StopIteration as end:
            self.reply = end.value
            return True
        assert waits is None, "the endpoint waits for something that is not ours"
        return False

    def finish(self) -> acts.Reply:
        while not self.step():
            pass
        assert self.reply is not None
        return self.reply

    def drop(self) -> None:
        """The process ends where it stands."""
        self.work.close()


def at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """What needs no steps, done."""
    while True:
        try:
            work.send(None)
        except StopIteration as end:
            return end.value
