"""`valetkey`: every command and its group on one page."""

import click

from valetkey import __version__
from valetkey.cli import (
    app_authentication,
    app_editing,
    app_suspension,
    apps,
    config,
    db,
    keys,
    registration_tokens,
    serve,
    tokens,
    users,
)
from valetkey.cli.conformance.command import conformance
from valetkey.cli.demo.command import demo
from valetkey.cli.terminal import Place


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="valetkey", message="%(prog)s %(version)s")
@click.option("--database", metavar="URL", help="sqlite:///FILE or postgresql://...; also after a command.")
@click.option("--config", metavar="FILE", help="The settings file (default: valetkey.toml if it is there).")
@click.pass_context
def cli(context: click.Context, database: str | None, config: str | None) -> None:
    """A self-hosted OAuth 2.0 authorization server.

    Every setting stands in valetkey.toml as [section] name and in the environment as VALETKEY_SECTION_NAME;
    `valetkey config show` prints them all. Exit codes: 0 done, 1 refused or not found, 2 wrong usage.
    """
    context.obj = Place(database, config)


for more in (
    app_authentication.authenticate,
    app_editing.edit,
    app_suspension.disable,
    app_suspension.enable,
):
    apps.apps.add_command(more)
OF_APPS = (apps.apps, tokens.tokens, registration_tokens.registration_tokens)
for command in (serve.serve, demo, users.users, *OF_APPS, keys.keys, config.config, db.db, conformance):
    cli.add_command(command)


def main() -> None:
    """What the program `valetkey` runs."""
    cli(prog_name="valetkey")
