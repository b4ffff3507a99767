"""What is in the database of a shell: the server's own acts on it, and accounts, apps and tokens to look at."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.cli.conftest import Shell
from valetkey.protocol.changes import Save
from valetkey.protocol.model import AccessToken, Authorization
from valetkey.protocol.rules.digest import digest
from valetkey.server.authorization_server import AuthorizationServer, assemble
from valetkey.settings import load

T = TypeVar("T")


def on_server(shell: Shell, work: Callable[[AuthorizationServer], Awaitable[T]]) -> T:
    async def act() -> T:
        server = assemble(load(environment={}, flags={"database": shell.database}))
        await server.open()
        try:
            return await work(server)
        finally:
            await server.close()

    return asyncio.run(act())


class Granted:
    """Two accounts, two apps, and a token for each pair."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.accounts = {name: int(shell.account(name)["id"]) for name in ("alice", "bob")}
        self.apps = [shell.app("alice")["client_id"] for _ in range(2)]
        on_server(shell, self.grant)

    async def grant(self, server: AuthorizationServer) -> None:
        now = server.clock()
        for number, token in enumerate(self.everything()):
            username, app = token.split(" ")
            root = Authorization(100 + number, self.accounts[username], self.apps[int(app)], ("basic",), now)
            await server.store.apply((Save(root), Save(AccessToken(digest(token), root, now))))

    @staticmethod
    def everything() -> set[str]:
        return {f"{username} {app}" for username in ("alice", "bob") for app in range(2)}

    def alive(self) -> set[str]:
        """The tokens that still work."""

        async def ask(server: AuthorizationServer) -> set[str]:
            facts = {token: await server.store.bearer_facts(digest(token)) for token in self.everything()}
            return {t for t, known in facts.items() if known and known.token.authorization.revoked_at is None}

        return on_server(self.shell, ask)
