"""`valetkey users`: people's accounts, from the operator's side."""

import sys
from typing import TYPE_CHECKING, Any

import click

from valetkey.cli.terminal import Refused, Terminal, moment, shared, table

if TYPE_CHECKING:
    from valetkey.protocol.model import Account
    from valetkey.server.authorization_server import AuthorizationServer

PAGE = 500
MOST_BYTES = 64 * 1024  # of standard input


@click.group()
def users() -> None:
    """Accounts of people."""


@users.command("add")
@click.argument("username")
@click.option("--full-name", default="", metavar="NAME")
@click.option("--email", default="", metavar="MAIL")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@shared
def add(terminal: Terminal, username: str, full_name: str, email: str, password_stdin: bool) -> None:
    """Make an account."""
    from valetkey.server import accounts

    settings = terminal.settings()
    password = read_password(password_stdin)
    form = accounts.SignUp(username, full_name, email, password)
    account = terminal.act(lambda server: accounts.sign_up(server, form, by_operator=True), settings)
    note_if_short(terminal, password, settings.accounts.password_length)
    terminal.show(described(account), f"added {account.username}, id {account.id}")


@users.command("list")
@shared
def list_users(terminal: Terminal) -> None:
    """Every account."""
    found = terminal.act(everybody)
    rows = [("id", "username", "full name", "email", "since", "")]
    rows += [
        (
            str(a.id),
            a.username,
            a.full_name,
            a.email,
            moment(a.created_at),
            "disabled" if a.disabled_at else "",
        )
        for a in found
    ]
    terminal.show([described(account) for account in found], *table(rows))


@users.command("set-password")
@click.argument("username")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@shared
def set_password(terminal: Terminal, username: str, password_stdin: bool) -> None:
    """Set a password; every session and everything that apps hold of the account ends."""
    from valetkey.server import accounts

    settings = terminal.settings()
    password = read_password(password_stdin)

    async def work(server: "AuthorizationServer") -> "Account":
        account = await named(server, username)
        form = accounts.SignUp(account.username, account.full_name, account.email, password)
        accounts.refuse({"password": accounts.why_not_password(server, form, by_operator=True)})
        await accounts.set_password(server, account.id, password)
        return account

    account = terminal.act(work, settings)
    note_if_short(terminal, password, settings.accounts.password_length)
    terminal.show(described(account), f"{account.username} has a new password")


@users.command("disable")
@click.argument("username")
@shared
def disable(terminal: Terminal, username: str) -> None:
    """Shut an account out: its sessions and what apps hold of it end at once."""
    account = terminal.act(lambda server: switched(server, username, off=True))
    terminal.show(described(account), f"{account.username} is disabled")


@users.command("enable")
@click.argument("username")
@shared
def enable(terminal: Terminal, username: str) -> None:
    """Let an account in again; what had ended stays ended."""
    account = terminal.act(lambda server: switched(server, username, off=False))
    terminal.show(described(account), f"{account.username} is enabled")


async def switched(server: "AuthorizationServer", username: str, off: bool) -> "Account":
    """The account, shut out or let in. Raises NotFound."""
    from valetkey.server import accounts

    step = accounts.disable if off else accounts.enable
    return await step(server, (await named(server, username)).id)


async def named(server: "AuthorizationServer", username: str) -> "Account":
    """The account of this name. Raises NotFound."""
    from valetkey.server.names import canonical
    from valetkey.server.problems import NotFound

    account = await server.store.account_named(canonical(username))
    if account is None:
        raise NotFound(f"username: there is no account {username!r}")
    return account


async def everybody(server: "AuthorizationServer") -> "list[Account]":
    """Every account, in the order of ids."""
    found: list[Account] = []
    while page := await server.store.accounts(found[-1].id if found else 0, PAGE):
        found += page
    return found


def described(account: "Account") -> dict[str, Any]:
    """An account as JSON says it; an id is a decimal string, as everywhere."""
    return {
        "id": str(account.id),
        "username": account.username,
        "full_name": account.full_name,
        "email": account.email,
        "created_at": account.created_at,
        "disabled": account.disabled_at is not None,
    }


def read_password(from_stdin: bool) -> str:
    """The password: from standard input without its one newline, or asked for twice. Raises Refused."""
    if not from_stdin:
        if not sys.stdin.isatty():
            raise click.UsageError("say --password-stdin when nobody is there to type the password")
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    data = sys.stdin.buffer.read(MOST_BYTES)
    try:
        return data.removesuffix(b"\r\n" if data.endswith(b"\r\n") else b"\n").decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("password: is not UTF-8") from None


def note_if_short(terminal: Terminal, password: str, shortest: int) -> None:
    """The operator may choose a short password, but not unknowingly."""
    if len(password) < shortest:
        terminal.note(
            f"note: the password has {len(password)} characters; people must choose {shortest} or more"
        )
