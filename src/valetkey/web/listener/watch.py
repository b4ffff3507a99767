"""All connections of one process: one timer for their deadlines, and how many there may be."""

import asyncio

import structlog
from msgspec import Struct

from valetkey.web.address import neighbourhood, within
from valetkey.web.listener.connection import Connection

log = structlog.get_logger("valetkey.listener")
LONGEST_TICK = 0.5
TELL_EVERY = 10.0


class Limits(Struct, frozen=True):
    """Seconds, and numbers of connections in this process; `exempt` are the networks of our own reverse proxies."""

    head: float = 10.0
    body: float = 15.0
    idle: float = 65.0
    linger: float = 2.0  # for the peer to read why it was turned away
    per_address: int = 100
    in_all: int = 900
    exempt: tuple[str, ...] = ()


class Watch:
    """Who is connected, the oldest first. While nobody is, no timer runs."""

    def __init__(self, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self.limits, self.loop = limits, loop
        self.tick = min(LONGEST_TICK, limits.head / 4, limits.body / 4, limits.idle / 4)
        # `now` may be a tick behind when a connection notes it, and nobody is cut off early
        self.late_head = limits.head + self.tick
        self.late_body = limits.body + self.tick
        self.late_idle = limits.idle + self.tick
        self.now = loop.time()
        self.timer: asyncio.TimerHandle | None = None
        self.everyone: dict[Connection, None] = {}
        self.by_address: dict[str, dict[Connection, None]] = {}
        self.turned_away: dict[str, int] = {}
        self.told_at = 0.0

    def enter(self, connection: Connection) -> None:
        """A new connection; over a limit, the oldest that only waits makes room for it."""
        if self.timer is None:
            self.now = self.loop.time()
            self.timer = self.loop.call_later(self.tick, self.look)
        connection.since = self.now
        self.everyone[connection] = None
        if len(self.everyone) > self.limits.in_all:
            self.make_room(self.everyone, connection)
        address = connection.address = self.counted_by(connection.client)
        if address is not None:
            neighbours = self.by_address.setdefault(address, {})
            neighbours[connection] = None
            if len(neighbours) > self.limits.per_address:
                self.make_room(neighbours, connection)

    def counted_by(self, client: tuple[str, int] | None) -> str | None:
        """What a connection is counted by; None: it is not counted."""
        if client is None or within(client[0], self.limits.exempt):
            return None
        return neighbourhood(client[0])

    def make_room(self, crowd: dict[Connection, None], newest: Connection) -> None:
        """Close the oldest that only waits; the newest when all others are being answered."""
        self.count("crowded")
        waiting = (one for one in crowd if one.only_waits() and not one.transport.is_closing())
        next(waiting, newest).give_way()

    def leave(self, connection: Connection) -> None:
        """A connection is gone."""
        self.everyone.pop(connection, None)
        self.forget_address(connection)

    def forget_address(self, connection: Connection) -> None:
        """A connection no longer counts for its address."""
        address = connection.address or ""
        neighbours = self.by_address.get(address)
        if neighbours is not None:
            neighbours.pop(connection, None)
            if not neighbours:
                del self.by_address[address]

    def look(self) -> None:
        """Every tick: look at each connection."""
        self.now = self.loop.time()
        for connection in list(self.everyone):
            connection.look(self.now)
        self.tell()
        self.timer = self.loop.call_later(self.tick, self.look) if self.everyone else None

    def count(self, reason: str) -> None:
        """Somebody was turned away."""
        self.turned_away[reason] = self.turned_away.get(reason, 0) + 1

    def tell(self) -> None:
        """A line in the log now and then, however many were turned away."""
        if self.turned_away and self.now - self.told_at > TELL_EVERY:
            self.told_at = self.now
            log.info("connections_turned_away", **self.turned_away)
            self.turned_away = {}
