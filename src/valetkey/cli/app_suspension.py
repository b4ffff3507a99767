"""`valetkey apps disable` and `enable`: an app is shut out at once, and let in again as it was (D10)."""

from typing import TYPE_CHECKING

import click

from valetkey.cli.apps import known
from valetkey.cli.terminal import Terminal, shared

if TYPE_CHECKING:
    from valetkey.protocol.model import Client
    from valetkey.server.authorization_server import AuthorizationServer


@click.command("disable")
@click.argument("client_id")
@shared
def disable(terminal: Terminal, client_id: str) -> None:
    """Shut an app out: no login, no token, no call. One that made itself known cannot come back by doing so again."""
    client = terminal.act(lambda server: switched(server, client_id, off=True))
    terminal.show({"client_id": client_id, "disabled": True}, f"{client.name} is disabled")


@click.command("enable")
@click.argument("client_id")
@shared
def enable(terminal: Terminal, client_id: str) -> None:
    """Let it in again; tokens that have not ended meanwhile go on."""
    client = terminal.act(lambda server: switched(server, client_id, off=False))
    terminal.show({"client_id": client_id, "disabled": False}, f"{client.name} is enabled")


async def switched(server: "AuthorizationServer", client_id: str, off: bool) -> "Client":
    """The app, shut out or let in. Raises NotFound, Conflict."""
    from msgspec.structs import replace

    from valetkey.protocol.changes import Save

    client = await known(server, client_id)
    at = server.clock() if off else None
    changed = replace(client, version=client.version + 1, disabled_at=at)
    await server.store.apply((Save(changed),))
    return changed
