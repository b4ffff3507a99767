"""`valetkey users`, on a database on which a server may run."""

import asyncio

import pytest

from tests.cli.conftest import PASSWORD, Shell
from valetkey.server import login
from valetkey.server.authorization_server import AuthorizationServer, assemble
from valetkey.settings import load


async def can_log_in(server: AuthorizationServer, username: str, password: str) -> bool:
    said = await login.log_in(server, login.Attempt(username, password, "192.0.2.1"))
    return isinstance(said, login.LoggedIn)


def logs_in(shell: Shell, username: str, password: str) -> bool:
    """Whether a server on this database lets them in."""

    async def ask() -> bool:
        server = assemble(load(environment={}, flags={"database": shell.database}))
        await server.open()
        try:
            return await can_log_in(server, username, password)
        finally:
            await server.close()

    return asyncio.run(ask())


def test_add_says_what_was_made(shell: Shell) -> None:
    words = ("--full-name", "Snoop Dogg", "--email", "snoop@example.org", "--password-stdin")
    said = shell("users", "add", "snoopdogg", *words, "--json", stdin=PASSWORD + "\n")
    assert said.code == 0 and said.err == ""
    assert said.json.pop("id").isdigit()
    assert {k: v for k, v in said.json.items() if k not in ("id", "created_at")} == {
        "username": "snoopdogg", "full_name": "Snoop Dogg", "email": "snoop@example.org", "disabled": False,
    }  # fmt: skip
    said = shell("users", "add", "other", "--password-stdin", stdin=PASSWORD)
    assert said.code == 0 and said.out.startswith("added other, id ")


@pytest.mark.parametrize(
    ("typed", "password"),
    [
        ("pw\n", "pw"),
        ("pw\r\n", "pw"),
        ("pw", "pw"),
        ("pw\n\n", "pw\n"),
        (" p w ", " p w "),
        ("pässwörd\n", "pässwörd"),
    ],
)
def test_one_newline_is_not_part_of_the_password(shell: Shell, typed: str, password: str) -> None:
    assert shell("users", "add", "alice", "--password-stdin", stdin=typed).code == 0
    assert logs_in(shell, "alice", password)
    assert not logs_in(shell, "alice", password + "x")


def test_the_operator_may_choose_a_short_password_knowingly(shell: Shell) -> None:
    said = shell("users", "add", "alice", "--password-stdin", "--json", stdin="pw\n")
    assert said.code == 0 and said.json["username"] == "alice"
    assert said.err == "note: the password has 2 characters; people must choose 15 or more\n"


@pytest.mark.parametrize(
    ("words", "stdin", "err"),
    [
        (("alice",), "\n", "password: is empty\n"),
        (("alice",), b"\xff\xfe\n", "password: is not UTF-8\n"),
        (("alice",), "x" * 1001, "password: is longer than 1,000 bytes\n"),
        (
            ("a b",),
            PASSWORD,
            "username: must be 1 to 30 letters of a to z, digits, dots, dashes or underscores\n",
        ),
        (("alice", "--email", "nonsense"), PASSWORD, "email: does not look like an address\n"),
        (("alice", "--full-name", "a\x00b"), PASSWORD, "full_name: has invisible or control characters\n"),
    ],
)
def test_what_cannot_be_added(shell: Shell, words: tuple[str, ...], stdin: str | bytes, err: str) -> None:
    said = shell("users", "add", *words, "--password-stdin", "--json", stdin=stdin)
    assert (said.code, said.out, said.err) == (1, "", err)


def test_a_name_is_taken_whatever_its_case(shell: Shell) -> None:
    shell.account("alice")
    said = shell("users", "add", "ALICE", "--password-stdin", stdin=PASSWORD)
    assert (said.code, said.err) == (1, "username: is taken\n")


def test_nobody_is_there_to_type_a_password(shell: Shell) -> None:
    said = shell("users", "add", "alice")
    assert said.code == 2 and "--password-stdin" in said.err


def test_list(shell: Shell) -> None:
    assert shell("users", "list", "--json").json == []
    for name in ("carol", "bob"):
        shell.account(name)
    shell("users", "disable", "bob")
    listed = {one["username"]: one["disabled"] for one in shell("users", "list", "--json").json}
    assert listed == {"carol": False, "bob": True}
    lines = shell("users", "list").out.splitlines()
    assert len(lines) == 3 and any("bob" in line and line.endswith("disabled") for line in lines)


def test_a_new_password_ends_the_old_one(shell: Shell) -> None:
    shell.account("alice")
    said = shell("users", "set-password", "Alice", "--password-stdin", stdin="another long password\n")
    assert (said.code, said.out, said.err) == (0, "alice has a new password\n", "")
    assert logs_in(shell, "alice", "another long password") and not logs_in(shell, "alice", PASSWORD)
    said = shell("users", "set-password", "alice", "--password-stdin", stdin="\n")
    assert (said.code, said.err) == (1, "password: is empty\n")


def test_disable_and_enable(shell: Shell) -> None:
    shell.account("alice")
    assert shell("users", "disable", "alice", "--json").json["disabled"] is True
    assert not logs_in(shell, "alice", PASSWORD)
    assert shell("users", "enable", "alice", "--json").json["disabled"] is False
    assert logs_in(shell, "alice", PASSWORD)


@pytest.mark.parametrize("command", ["set-password", "disable", "enable"])
def test_an_account_that_is_not_there(shell: Shell, command: str) -> None:
    more = ("--password-stdin",) if command == "set-password" else ()
    said = shell("users", command, "nobody", *more, stdin=PASSWORD)
    assert (said.code, said.out, said.err) == (1, "", "username: there is no account 'nobody'\n")
