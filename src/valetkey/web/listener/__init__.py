"""The door: limits and deadlines of connections, beneath the app, at the HTTP server's protocol (R17, J1, J6, J7)."""

import asyncio
from typing import TYPE_CHECKING, Any

from valetkey.settings import ServerSettings
from valetkey.web.listener.connection import Connection
from valetkey.web.listener.watch import Limits, Watch

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

__all__ = ["Limits", "Listening", "limits_of"]


class Listening:
    """What uvicorn calls for every new connection; goes to worker processes as it is and makes its watch there."""

    def __init__(self, limits: Limits, parser: str = "auto") -> None:
        self.limits, self.parser = limits, parser
        self.watch: Watch | None = None
        self.kind: type[Connection] | None = None

    def __call__(
        self,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> Connection:
        """A protocol for one connection."""
        loop = _loop or asyncio.get_running_loop()
        if self.watch is None or self.watch.loop is not loop:
            self.watch = Watch(self.limits, loop)
        if self.kind is None:
            self.kind = connection_kind(self.parser)
        made = self.kind(config, server_state, app_state, loop)
        made.watch = self.watch
        return made


def connection_kind(parser: str) -> type[Connection]:
    """httptools where it is installed, otherwise h11."""
    if parser != "h11":
        try:
            from valetkey.web.listener.with_httptools import HttpToolsConnection
        except ImportError:
            if parser == "httptools":
                raise
        else:
            return HttpToolsConnection
    from valetkey.web.listener.with_h11 import H11Connection

    return H11Connection


def limits_of(server: ServerSettings, in_all: int) -> Limits:
    """The limits that the settings say."""
    return Limits(
        head=server.head_deadline,
        body=server.body_deadline,
        idle=server.idle_deadline,
        per_address=server.connections_per_address,
        in_all=in_all,
        exempt=server.trusted_proxies,
    )
