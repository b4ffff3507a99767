"""`valetkey demo`: a throw-away server, two accounts, and a shop that asks for photos; stops with Ctrl-C."""

import click


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The server's.")
@click.option(
    "--shop-port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="The shop's."
)
def demo(port: int, shop_port: int) -> None:
    """Click through every flow: a server with accounts and an app in it, and a shop that uses it."""
    from valetkey.cli.demo.stage import play

    play(port, shop_port)
