"""`valetkey serve`: the server, as an operator runs it."""

import sys
from typing import TYPE_CHECKING

import click

from valetkey.cli.config import mistakes
from valetkey.cli.terminal import Refused, Terminal, shared

if TYPE_CHECKING:
    import socket

    from valetkey.cli.succession import Start
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
    """Serve until SIGTERM or Ctrl-C; requests under way are finished. --json is for the log.

    SIGHUP reads the settings and the program anew, and no request fails by it; the socket stays the same.
    """
    from valetkey.cli.succession import Start

    names = {"host": "server.host", "port": "server.port", "workers": "server.workers", "issuer": "issuer"}
    given = {names[name]: value for name, value in flags.items()}
    flags = given | {"log.json": True if terminal.as_json else None}
    settings, file = terminal.settings(flags), terminal.file()
    if wrong := mistakes(settings):
        raise Refused(*wrong, exit_code=2)
    with bound(settings.server.host, settings.server.port) as listening:
        # a reload finds this file again, or fails; it never falls back to what holds without one
        start = Start(terminal.place.database, str(file) if file else None, flags, drain)
        sys.exit(run(start, settings, listening))


def run(start: "Start", settings: "Settings", listening: "socket.socket") -> int:
    """Serve on a socket until a signal says otherwise; returns the exit code. Raises Refused."""

    from valetkey.cli.succession import Succession

    def say(level: str, event: str, **facts: str | int | float) -> None:
        """A line in the log: rarely, so that the process at the top stays small until then."""
        import structlog

        from valetkey.web import logs

        logs.configure(settings.log)
        getattr(structlog.get_logger("valetkey.serve"), level)(event, **facts)

    succession = Succession(start, listening, say)
    code = succession.run()
    if succession.refused:
        raise Refused(*succession.refused, exit_code=code)
    say("info", "stopped", exit_code=code)
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
