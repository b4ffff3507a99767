"""`valetkey tokens revoke`: one token, or all of an account, an app, or both."""

import pytest

from tests.cli.acting import Granted, on_server
from tests.cli.conftest import Shell
from valetkey.protocol.changes import Save
from valetkey.protocol.model import NOBODY, AccessToken, Authorization, Terms
from valetkey.protocol.rules.digest import digest
from valetkey.server.authorization_server import AuthorizationServer


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


def test_what_an_app_has_for_itself(shell: Shell, granted: Granted) -> None:
    """One token ends alone; all of the app take along what others got for them (RFC 8693)."""
    app, other = granted.apps

    async def grant(server: AuthorizationServer) -> None:
        now = server.clock()
        root = Authorization(200, NOBODY, app, (), now)
        terms = {"one": Terms(), "two": Terms(), "exchanged": Terms(client=other)}
        tokens = (Save(AccessToken(digest(name), root, now, now + 600, each)) for name, each in terms.items())
        await server.store.apply((Save(root), *tokens))

    async def alive(server: AuthorizationServer) -> list[str]:
        facts = {name: await server.store.bearer_facts(digest(name)) for name in ("one", "two", "exchanged")}
        return [name for name, known in facts.items() if known and not known.ended(server.clock())]

    on_server(shell, grant)
    said = shell("tokens", "revoke", "--token-stdin", stdin="one")
    assert said.out == f"revoked: one token that app {app} had for itself; --app ends all of them\n"
    assert on_server(shell, alive) == ["two", "exchanged"]
    shell("tokens", "revoke", "--app", app)
    assert on_server(shell, alive) == []
    assert granted.alive() == {"alice 1", "bob 1"}


def test_what_an_app_got_for_the_tokens_of_others(shell: Shell, granted: Granted) -> None:
    """RFC 8693: it stands under what another app was allowed, which goes on."""
    app, other = granted.apps

    async def exchange(server: AuthorizationServer) -> None:
        now = server.clock()
        root = Authorization(300, NOBODY, app, (), now)
        kept = AccessToken(digest("exchanged"), root, now, now + 600, Terms(client=other))
        await server.store.apply((Save(root), Save(kept)))

    async def lives(server: AuthorizationServer) -> bool:
        return await server.store.bearer_facts(digest("exchanged")) is not None

    on_server(shell, exchange)
    assert on_server(shell, lives)
    shell("tokens", "revoke", "--app", other)
    assert not on_server(shell, lives)
    assert granted.alive() == {"alice 0", "bob 0"}


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
