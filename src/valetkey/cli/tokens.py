"""`valetkey tokens`: take back what was granted (RFC 6749 10.3, RFC 7009 without the client)."""

import sys
from typing import TYPE_CHECKING

import click

from valetkey.cli.apps import known
from valetkey.cli.terminal import Terminal, shared
from valetkey.cli.users import MOST_BYTES, named

if TYPE_CHECKING:
    from valetkey.server.authorization_server import AuthorizationServer

PAGE = 500


@click.group()
def tokens() -> None:
    """Codes and tokens."""


@tokens.command("revoke")
@click.option("--token-stdin", is_flag=True, help="One token, read from standard input.")
@click.option("--user", metavar="USERNAME", help="All that this account has allowed.")
@click.option("--app", "client_id", metavar="CLIENT_ID", help="All that this app was allowed.")
@shared
def revoke(terminal: Terminal, token_stdin: bool, user: str | None, client_id: str | None) -> None:
    """End tokens and codes at once, on every worker: one token, or all of an account, an app, or both together."""
    if token_stdin == (user is not None or client_id is not None):
        raise click.UsageError("say either --token-stdin, or --user, --app or both")
    if token_stdin:
        token = sys.stdin.buffer.read(MOST_BYTES).decode("utf-8", "replace").strip()
        client_id, user = terminal.act(lambda server: revoke_token(server, token))
    elif user is not None:
        username, app = user, client_id
        terminal.act(lambda server: revoke_of_account(server, username, app))
    elif client_id is not None:
        of_app = client_id
        terminal.act(lambda server: revoke_of_app(server, of_app))
    whose = " and ".join(f"{what} {name}" for what, name in (("account", user), ("app", client_id)) if name)
    if token_stdin and not user:
        whose = f"one token that {whose} had for itself; --app ends all of them"
    terminal.show({"revoked": True, "user": user, "client_id": client_id}, f"revoked: {whose}")


async def revoke_token(server: "AuthorizationServer", shown: str) -> tuple[str, str]:
    """End the authorization that a token came from, or the token alone if it is an app's own; returns the app and the
    account. Raises NotFound."""
    from valetkey.protocol.changes import Expire, Revoke
    from valetkey.protocol.rules.digest import digest
    from valetkey.server.problems import NotFound

    facts = await server.store.bearer_facts(digest(shown))
    if facts is None:
        raise NotFound("token: is not known here")
    token, now = facts.token, server.clock()
    ends = Revoke(token.authorization.id, now) if facts.account else Expire(token.digest, now)
    await server.store.apply((ends,))
    return facts.client.id, facts.account.username if facts.account else ""


async def revoke_of_account(server: "AuthorizationServer", username: str, client_id: str | None) -> None:
    """End all that an account has allowed, or all that it has allowed one app. Raises NotFound."""
    from valetkey.protocol.changes import Withdraw

    account = await named(server, username)
    if client_id is not None:
        await known(server, client_id)
    await server.store.apply((Withdraw(account.id, client_id, server.clock()),))


async def revoke_of_app(server: "AuthorizationServer", client_id: str) -> None:
    """End all that an app was allowed, account by account, its own, and what it got by exchange. Raises NotFound,
    Conflict."""
    from msgspec.structs import replace

    from valetkey.protocol.changes import Save, Withdraw
    from valetkey.protocol.model import NOBODY

    client, now = await known(server, client_id), server.clock()
    over = replace(client.registered, exchanged_after=now)
    following = replace(client, version=client.version + 1, registered=over)
    await server.store.apply((Withdraw(NOBODY, client_id, now), Save(following)))
    last = 0
    while page := await server.store.accounts(last, PAGE):
        last = page[-1].id
        await server.store.apply(tuple(Withdraw(account.id, client_id, server.clock()) for account in page))
