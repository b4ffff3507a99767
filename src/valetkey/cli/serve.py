"""`valetkey serve`: the server, as an operator runs it."""

import gc
import sys
from typing import TYPE_CHECKING

import click

from valetkey.cli.config import mistakes
from valetkey.cli.terminal import Refused, Terminal, shared, without_password

if TYPE_CHECKING:
    import socket

    from valetkey.server.authorization_server import AuthorizationServer
    from valetkey.settings import Settings


@click.command()
@click.option("--host", metavar="ADDRESS", help="Default: 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="Default: 8000.")
@click.option("--workers", type=click.IntRange(1, 256), metavar="N", help="Processes; default: 1.")
@click.option("--issuer", metavar="URL", help="The public base URL, such as https://id.example.org.")
@click.option(
    "--drain", type=click.FloatRange(0, 600), default=0.0, show_default=True, metavar="SECONDS",
    help="After SIGTERM, say for so long that we are not ready before we stop listening.",
)  # fmt: skip
@shared
def serve(terminal: Terminal, drain: float, **flags: str | int | None) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way are finished. --json is for the log."""
    names = {"host": "server.host", "port": "server.port", "workers": "server.workers", "issuer": "issuer"}
    given = {names[name]: value for name, value in flags.items()}
    settings = terminal.settings(given | {"log.json": True if terminal.as_json else None})
    if wrong := mistakes(settings):
        raise Refused(*wrong, exit_code=2)
    listening = bound(settings.server.host, settings.server.port)
    with listening:
        settings = with_port(settings, listening.getsockname()[1])
        terminal.act(nothing, settings)  # a database that cannot be used is said here, in one line
        sys.exit(run(settings, listening, drain))


def with_port(settings: "Settings", port: int) -> "Settings":
    """The settings with the port that we really have (port 0 takes any)."""
    from msgspec.structs import replace

    return replace(settings, server=replace(settings.server, port=port))


async def nothing(server: "AuthorizationServer") -> None:
    """Opening was all."""


def run(settings: "Settings", listening: "socket.socket", drain: float) -> int:
    """Serve on a socket; returns the exit code."""
    import structlog

    from valetkey.cli import serving, workers
    from valetkey.web import logs

    logs.configure(settings.log, keep=True)
    log = structlog.get_logger("valetkey.serve")
    host, port = listening.getsockname()[:2]
    count, issuer = settings.server.workers, settings.public_url
    database = without_password(settings.database)
    log.info("listening", host=host, port=port, issuer=issuer, workers=count, database=database)
    most = serving.raised_file_limit()
    gc.collect()
    gc.freeze()  # what is here by now stays: no collection looks at it again, and workers share its memory

    def serve_here(parent: int | None = None) -> int:
        return serving.serve(settings, listening, serving.Manner(drain, most, parent))

    code = serve_here() if count == 1 else workers.Workers(count, serve_here, listening.close).run()
    log.info("stopped", exit_code=code)
    return code


def bound(host: str, port: int) -> "socket.socket":
    """A socket that is ours. Raises Refused."""
    import errno
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(2048)  # another server that listens here is noticed only now
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise Refused(f"port: {port} on {host} is used by another program") from None
        raise Refused(f"host: cannot listen on {host}, port {port}: {error.strerror or error}") from None
    made.setblocking(False)
    made.set_inheritable(True)
    return made
