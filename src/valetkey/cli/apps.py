"""`valetkey apps`: registered apps, from the operator's side: any app of anybody."""

import sys
from typing import TYPE_CHECKING, Any

import click

from valetkey.cli.app_editing import registered, settable
from valetkey.cli.terminal import Refused, Terminal, moment, shared, table
from valetkey.cli.users import named

if TYPE_CHECKING:
    from valetkey.protocol.model import Account, Client
    from valetkey.server.authorization_server import AuthorizationServer
    from valetkey.settings import Settings

PAGE = 500
SWITCHES = ("allow_implicit", "sandbox", "signed_requests")  # shown when they are off, too
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@click.group()
def apps() -> None:
    """Registered apps (OAuth clients)."""


@apps.command("add")
@click.argument("name")
@click.option("--owner", required=True, metavar="USERNAME", help="Whose app it is.")
@click.option("--redirect-uri", "redirect_uris", multiple=True, metavar="URI", help="May be said many times.")
@click.option(
    "--profile", metavar="classic|oauth20|oauth21|fapi2|mcp", help="Default: the setting apps.profile."
)
@click.option("--type", "type", default="web", show_default=True, metavar="web|spa|native|service")
@click.option("--allow-implicit", is_flag=True, help="Allow the client-side flow (response_type=token).")
@click.option("--sandbox", is_flag=True, help="In development: only its owner and invited testers.")
@click.option("--signed-requests", is_flag=True, help="Refuse API calls that are not signed.")
@click.option("--description", default="")
@click.option("--website", default="", metavar="URL")
@settable
@shared
def add(terminal: Terminal, owner: str, pairs: tuple[str, ...], **form: Any) -> None:
    """Register an app; its client secret is shown this once."""
    from valetkey.protocol.model import REGISTRATION
    from valetkey.server import clients

    settings = terminal.settings()
    form["profile"] = form["profile"] or settings.apps.profile
    form["registered"] = registered(pairs, REGISTRATION)

    async def work(server: "AuthorizationServer") -> tuple[clients.NewClient, dict[str, Any]]:
        account = await named(server, owner)
        new = await clients.register(server, account, clients.ClientForm(**form))
        return new, described(server, new.client, account.username)

    new, said = terminal.act(work, settings)
    lines = [f"client_id      {new.client.id}"]
    lines += [f"client_secret  {new.secret}  (shown this once)"] if new.secret else []
    terminal.show({"client_id": new.client.id, "client_secret": new.secret, **said}, *lines)


@apps.command("list")
@click.option("--owner", metavar="USERNAME", help="Only the apps of this account.")
@shared
def list_apps(terminal: Terminal, owner: str | None) -> None:
    """Every app."""

    async def work(server: "AuthorizationServer") -> list[dict[str, Any]]:
        if owner is not None:
            account = await named(server, owner)
            found = await server.store.clients_of(account.id)
            return [described(server, client, account.username) for client in found]
        return [described(server, client, await owner_name(server, client)) for client in await every(server)]

    found = terminal.act(work)
    rows: list[tuple[str, ...]] = [("client_id", "name", "owner", "type", "profile", "")]
    rows += [
        (app["client_id"], app["name"], app["owner"], app["type"], app["profile"], state_of(app))
        for app in found
    ]
    terminal.show(found, *table(rows))


@apps.command("show")
@click.argument("client_id")
@shared
def show(terminal: Terminal, client_id: str) -> None:
    """One app."""

    async def work(server: "AuthorizationServer") -> dict[str, Any]:
        client = await known(server, client_id)
        return described(server, client, await owner_name(server, client))

    app = terminal.act(work)
    off = {name for name, value in app.items() if value is False and name not in SWITCHES}
    rows = [
        (name, in_words(value)) for name, value in app.items() if value not in ("", []) and name not in off
    ]
    terminal.show(app, *table(rows))


@apps.command("rotate-secret")
@click.argument("client_id")
@click.option(
    "--overlap",
    default="0",
    show_default=True,
    metavar="TIME",
    help="How long the old ones live on: 0, 1h, 7d.",
)
@shared
def rotate_secret(terminal: Terminal, client_id: str, overlap: str) -> None:
    """Make a new client secret, shown this once."""
    from valetkey.server import clients

    seconds = in_seconds(overlap)

    async def work(server: "AuthorizationServer") -> str:
        client = await known(server, client_id)
        return await clients.rotate_secret(server, await owner_of(server, client), client_id, seconds)

    secret = terminal.act(work)
    data = {"client_id": client_id, "client_secret": secret, "overlap": seconds}
    terminal.show(data, f"client_secret  {secret}  (shown this once)")


@apps.command("delete")
@click.argument("client_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared
def delete(terminal: Terminal, client_id: str, yes: bool) -> None:
    """Delete an app and all it was ever allowed; asks first when somebody is at the keyboard."""
    from valetkey.server import removal

    settings = terminal.settings()
    name = terminal.act(lambda server: name_of(server, client_id), settings)
    if not (yes or terminal.as_json) and sys.stdin.isatty():
        click.confirm(f"Delete {name} and every token it holds?", abort=True, err=True)

    async def work(server: "AuthorizationServer") -> None:
        await removal.remove(server, await known(server, client_id))

    terminal.act(work, settings)
    terminal.show({"client_id": client_id, "deleted": True}, f"deleted {name}")


def state_of(app: dict[str, Any]) -> str:
    """What is out of the ordinary about an app."""
    return " ".join(name for name in ("disabled", "sandbox") if app[name])


async def name_of(server: "AuthorizationServer", client_id: str) -> str:
    """What the app is called. Raises NotFound."""
    return (await known(server, client_id)).name


async def known(server: "AuthorizationServer", client_id: str) -> "Client":
    """The app of this id. Raises NotFound."""
    from valetkey.server.problems import NotFound

    client = await server.store.client(client_id)
    if client is None:
        raise NotFound(f"client_id: there is no app {client_id!r}")
    return client


async def owner_of(server: "AuthorizationServer", client: "Client") -> "Account":
    """Whose app it is. Raises NotFound."""
    from valetkey.server.problems import NotFound

    owner = await server.store.account(client.owner_id)
    if owner is None:
        raise NotFound(f"client_id: the app {client.id!r} belongs to nobody")
    return owner


async def every(server: "AuthorizationServer") -> "list[Client]":
    """Every app, in the order of ids."""
    found: list[Client] = []
    while page := await server.store.clients(found[-1].id if found else "", PAGE):
        found += page
    return found


async def owner_name(server: "AuthorizationServer", client: "Client") -> str:
    """Whose app it is; nobody's if it made itself known. Raises NotFound."""
    return (await owner_of(server, client)).username if client.owner_id else ""


def described(server: "AuthorizationServer", client: "Client", owner: str) -> dict[str, Any]:
    """An app as JSON says it; of secrets only what helps to tell them apart."""
    return {
        "client_id": client.id,
        "name": client.name,
        "owner": owner,
        "type": client.type,
        "profile": client.profile,
        "redirect_uris": list(client.redirect_uris),
        "description": client.description,
        "website": client.website,
        "allow_implicit": client.allow_implicit,
        "sandbox": client.sandbox,
        "disabled": client.disabled_at is not None,
        "signed_requests": client.signed_requests,
        **registration(client),
        "created_at": client.created_at,
        "secrets": [
            {"ends_with": secret.hint, "created_at": secret.created_at, "expires_at": secret.expires_at}
            for secret in client.secrets
        ],
        **addresses(server.settings, server.book.profiles[client.profile].token_path),
    }


def registration(client: "Client") -> dict[str, Any]:
    """What it registered, without what is ours; the grants are those it has."""
    from msgspec.structs import asdict

    from valetkey.server.noted import NOTES

    said = {name: value for name, value in asdict(client.registered).items() if name not in NOTES}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}
    return plain | {"grant_types": list(client.grant_types)}


def addresses(settings: "Settings", token_path: str) -> dict[str, str]:
    """Where the app goes with what it got."""
    return {
        "authorize_url": f"{settings.public_url}/oauth/authorize/",
        "token_url": f"{settings.public_url}{token_path}",
    }


def in_words(value: Any) -> str:
    """A value of an app for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return moment(value)
    if isinstance(value, list):
        return " ".join(one if isinstance(one, str) else secret_in_words(one) for one in value)
    return str(value)


def secret_in_words(secret: dict[str, Any]) -> str:
    """A client secret, as far as anybody still knows it."""
    return f"...{secret['ends_with']} (ends {moment(secret['expires_at'])})"


def in_seconds(text: str) -> int:
    """3600, 60m, 1h, 7d. Raises Refused."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
    if not (number.isascii() and number.isdigit()) or len(number) > 9:
        raise Refused("overlap: a time such as 0, 90s, 60m, 1h or 7d", exit_code=2)
    return int(number) * UNITS[unit]
