"""`valetkey tokens revoke`: one token, or all of an account, an app, or both."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

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


@pytest.fixture
def granted(shell: Shell) -> Granted:
    return Granted(shell)


def test_one_token(shell: Shell, granted: Granted) -> None:
    said = shell("tokens", "revoke", "--token-stdin", "--json", stdin="alice 0\n")
    assert said.json == {"revoked": True, "user": "alice", "client_id": granted.apps[0]}
    assert granted.alive() == {"alice 1", "bob 0", "bob 1"}


def test_all_of_an_account(shell: Shell, granted: Granted) -> None:
    assert shell("tokens", "revoke", "--user", "Alice").out == "revoked: account Alice\n"
    assert granted.alive() == {"bob 0", "bob 1"}


def test_all_of_an_app(shell: Shell, granted: Granted) -> None:
    assert shell("tokens", "revoke", "--app", granted.apps[1]).out == f"revoked: app {granted.apps[1]}\n"
    assert granted.alive() == {"alice 0", "bob 0"}


def test_what_an_account_has_allowed_one_app(shell: Shell, granted: Granted) -> None:
    assert shell("tokens", "revoke", "--user", "bob", "--app", granted.apps[0]).code == 0
    assert granted.alive() == {"alice 0", "alice 1", "bob 1"}


@pytest.mark.parametrize(
    ("words", "err"),
    [
        (("--token-stdin",), "token: is not known here\n"),
        (("--user", "nobody"), "username: there is no account 'nobody'\n"),
        (("--app", "nothing"), "client_id: there is no app 'nothing'\n"),
        (("--user", "alice", "--app", "nothing"), "client_id: there is no app 'nothing'\n"),
    ],
)
def test_what_is_not_there(shell: Shell, granted: Granted, words: tuple[str, ...], err: str) -> None:
    said = shell("tokens", "revoke", *words, stdin="no such token")
    assert (said.code, said.out, said.err) == (1, "", err)
    assert granted.alive() == granted.everything()


@pytest.mark.parametrize("words", [(), ("--token-stdin", "--user", "alice")])
def test_it_must_be_clear_what_is_meant(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell("tokens", "revoke", *words).code == 2
