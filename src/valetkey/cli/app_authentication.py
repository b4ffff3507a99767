"""`valetkey apps authenticate`: by which secret, key or certificate an app proves who it is (RFC 7591 2, RFC 8705)."""

from typing import TYPE_CHECKING, TextIO

import click

from valetkey.cli.apps import described, known, owner_of
from valetkey.cli.terminal import Terminal, shared

if TYPE_CHECKING:
    from valetkey.protocol.model import Client
    from valetkey.server.authorization_server import AuthorizationServer

METHODS = (
    "client_secret_basic client_secret_post client_secret_jwt private_key_jwt"
    " tls_client_auth self_signed_tls_client_auth none".split()
)


@click.command("authenticate")
@click.argument("client_id")
@click.argument("method", type=click.Choice(METHODS))
@click.option("--jwks", type=click.File(encoding="utf-8"), help="Its public keys, as a JWK Set; - is stdin.")
@click.option("--jwks-uri", metavar="URL", default="", help="Where it publishes them instead.")
@click.option("--alg", metavar="ALG", default="", help="The one algorithm it signs with.")
@click.option("--subject-dn", metavar="DN", default="", help="The subject of its certificate (RFC 4514).")
@click.option("--san-dns", metavar="NAME", default="", help="Or a DNS name in it.")
@click.option("--san-uri", metavar="URI", default="", help="Or a URI.")
@click.option("--san-ip", metavar="ADDRESS", default="", help="Or an IP address.")
@click.option("--san-email", metavar="ADDRESS", default="", help="Or a mail address.")
@shared
def authenticate(terminal: Terminal, client_id: str, method: str, jwks: TextIO | None, **said: str) -> None:
    """Say how an app proves who it is; what was said of it before is replaced."""
    fields = {
        "token_endpoint_auth_method": method,
        "jwks": "" if jwks is None else jwks.read(),
        "jwks_uri": said.pop("jwks_uri"),
        "token_endpoint_auth_signing_alg": said.pop("alg"),
        **{f"tls_client_auth_{name}": value for name, value in said.items()},
    }

    async def work(server: "AuthorizationServer") -> dict[str, object]:
        client = await known(server, client_id)
        owner = await owner_of(server, client)
        return described(server, await changed(server, client, fields), owner.username)

    app = terminal.act(work)
    terminal.show(app, f"{app['name']} proves who it is by {method}")


async def changed(server: "AuthorizationServer", client: "Client", fields: dict[str, str]) -> "Client":
    """The app with this said of it. Raises Problems."""
    from msgspec.structs import replace

    from valetkey.server import clients

    form = clients.form_of(client)
    form = replace(form, registered=replace(form.registered, **fields))
    return await clients.edit(server, await owner_of(server, client), client.id, form)
