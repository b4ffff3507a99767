"""`valetkey apps edit`, and `--set NAME=VALUE`: what an app registers, under the names of RFC 7591 2."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from valetkey.cli.terminal import Refused, Terminal, shared

if TYPE_CHECKING:
    from valetkey.protocol.model import Client, Registration
    from valetkey.server.authorization_server import AuthorizationServer

Command = TypeVar("Command", bound=Callable[..., Any])
SWITCHES = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}


def settable(command: Command) -> Command:
    """The option --set, for a command that registers or changes an app."""
    told = (
        "A field of RFC 7591 and its kin, such as grant_types, scope, optional_scope, jwks=@FILE,"
        " dpop_bound_access_tokens=yes, introspects=yes. Lists with spaces between. May be said many times."
    )
    return click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help=told)(command)


def registered(pairs: Sequence[str], was: "Registration") -> "Registration":
    """The registration with these said of it. Raises Refused."""
    from msgspec.structs import replace

    from valetkey.server.noted import NOTES

    said_of_apps = [each for each in was.__struct_fields__ if each not in NOTES]
    fields: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in said_of_apps:
            raise Refused(f"set: NAME=VALUE with a NAME out of {', '.join(said_of_apps)}", exit_code=2)
        if name in fields:
            raise Refused(f"set: {name} is said twice; write a list with spaces between", exit_code=2)
        fields[name] = read(name, value, getattr(was, name))
    return replace(was, **fields)


def read(name: str, value: str, was: object) -> object:
    """A value of the kind that the field has; @FILE is what stands in the file. Raises Refused."""
    if value.startswith("@"):
        try:
            value = Path(value[1:]).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(f"set: cannot read {name} from {value[1:]}: {error}") from None
    if isinstance(was, bool):
        if value.lower() not in SWITCHES:
            raise Refused(f"set: {name} is yes or no, not {value!r}", exit_code=2)
        return SWITCHES[value.lower()]
    return tuple(dict.fromkeys(value.split())) if isinstance(was, tuple) else value


@click.command("edit")
@click.argument("client_id")
@click.option("--name", metavar="NAME")
@click.option("--redirect-uri", "redirect_uris", multiple=True, metavar="URI", help="Instead of all it had.")
@click.option("--profile", metavar="PROFILE")
@click.option("--allow-implicit/--no-allow-implicit", default=None)
@click.option("--sandbox/--no-sandbox", default=None)
@click.option("--signed-requests/--no-signed-requests", default=None)
@click.option("--description")
@click.option("--website", metavar="URL")
@settable
@shared
def edit(terminal: Terminal, client_id: str, pairs: tuple[str, ...], **said: Any) -> None:
    """Change an app: only what is said; its type, its id and its secrets stay."""
    from valetkey.cli.apps import described, known, owner_of

    given = {name: value for name, value in said.items() if value not in (None, ())}

    async def work(server: "AuthorizationServer") -> dict[str, Any]:
        client = await known(server, client_id)
        owner = await owner_of(server, client)
        return described(server, await changed(server, client, given, pairs), owner.username)

    app = terminal.act(work)
    terminal.show(app, f"changed {app['name']}")


async def changed(
    server: "AuthorizationServer", client: "Client", given: dict[str, Any], pairs: Sequence[str]
) -> "Client":
    """The app with this said of it. Raises Problems, Refused."""
    from msgspec.structs import replace

    from valetkey.cli.apps import owner_of
    from valetkey.server import clients

    form = replace(clients.form_of(client), **given, registered=registered(pairs, client.registered))
    return await clients.edit(server, await owner_of(server, client), client.id, form)
