"""One generation of `valetkey serve`: reads the settings, opens the database, serves, alone or with workers."""

import gc
import os
import signal
import socket
import sys
from functools import partial

import msgspec
import structlog

from valetkey.cli import serving
from valetkey.cli.accepting import Shares
from valetkey.cli.config import mistakes
from valetkey.cli.succession import Start, Told, tell
from valetkey.cli.terminal import Place, Refused, Terminal, without_password
from valetkey.cli.workers import Workers
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.settings import Settings
from valetkey.web import logs

# Objects made until the youngest are looked through for circles. Requests leave none behind to speak of, and Python's
# own 700 would make looking for them a tenth of an exchange.
COLLECT_EVERY = 20_000


def main(told: str) -> int:
    """What `valetkey serve` runs in a process of its own, for every generation; returns the exit code."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # meant for whoever started us
    start = msgspec.json.decode(told, type=Start)
    os.set_inheritable(start.listening, False)
    os.set_inheritable(start.tell, False)
    with socket.socket(fileno=start.listening) as listening:
        listening.setblocking(False)
        try:
            settings, master_key = usable(start)
        except Refused as refused:
            tell(start.tell, Told(refused=tuple(refused.message.split("\n"))))
            return refused.exit_code
        settings = with_port(settings, listening.getsockname()[1])
        return run(start, settings, listening, master_key)


def usable(start: Start) -> tuple[Settings, str]:
    """The settings as they are now, if one can serve with them, and where the master key is. Raises Refused."""
    terminal = Terminal(Place(start.database, start.config))
    settings = terminal.settings(start.flags)
    if wrong := mistakes(settings):
        raise Refused(*wrong, exit_code=2)
    return settings, terminal.act(sealed_by, settings)  # what cannot be used is said here, in one line


def with_port(settings: Settings, port: int) -> Settings:
    """The settings with the port that we really have (port 0 takes any)."""
    return msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, port=port))


async def sealed_by(server: AuthorizationServer) -> str:
    """Where the master key is that opens the server's keys; it makes the first ones."""
    await server.keys.open()
    return server.keys.master.source if server.keys.master else "nowhere"


def run(start: Start, settings: Settings, listening: socket.socket, master_key: str) -> int:
    """Serve on a socket; returns the exit code."""
    logs.configure(settings.log, keep=True)
    log = structlog.get_logger("valetkey.serve")
    host, port = listening.getsockname()[:2]
    count, issuer = settings.server.workers, settings.public_url
    database = without_password(settings.database)
    where = {"database": database, "master_key": master_key}
    log.info("listening", host=host, port=port, issuer=issuer, workers=count, **where)
    most = serving.raised_file_limit()
    gc.collect()
    gc.freeze()  # what is here by now stays: no collection looks at it again, and workers share its memory
    gc.set_threshold(COLLECT_EVERY)
    tell(start.tell, Told(workers=count))
    patience = serving.Patience(start.drain, settings.server.idle_deadline)

    def serve(parent: int) -> int:
        ready = partial(tell, start.tell, Told(serving=os.getpid()))
        return serving.serve(settings, listening, serving.Manner(patience, most, parent, ready, share()))

    def share() -> tuple[Shares, int] | None:
        return (workers.shares, workers.place) if count > 1 else None

    workers = Workers(count, serve, listening.close, patience)
    workers.parent = start.parent  # also if it has gone while we read
    return workers.run() if count > 1 else serve(start.parent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
