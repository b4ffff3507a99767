"""`valetkey tokens revoke`: one token, or all of an account, an app, or both."""

import pytest

from tests.cli.acting import Granted
from tests.cli.conftest import Shell


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
