"""The one outgoing HTTP door: what others publish, fetched with bounds and kept for a while (R20, RFC 9111)."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import structlog
from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.rules.metadata_document import publishes
from valetkey.server.clock import Clock
from valetkey.server.target import FetchFailed, Page, Target, target
from valetkey.settings import FetchSettings, Settings

__all__ = ["Fetch", "FetchFailed", "Fetched"]

PATIENCE = 5.0  # seconds for all of it
SHORTEST, USUAL, LONGEST = 60, 300, 3600  # seconds an answer is kept: at least, if nothing is said, at most
FAILED = 15  # seconds that a failure is remembered
MOST_KEPT = 1000
MOST_BYTES = 8 * 1024 * 1024
MOST_AT_ONCE = 64
MOST_AT_ONCE_PER_HOST = 4  # so that a slow one does not take every place
MOST_PER_HOST = 120  # requests a minute, so that nobody aims us at somebody else
MOST_HOSTS = 10_000
MAX_AGE = re.compile(r'(?:^|[,\s])max-age="?([0-9]{1,9})"?(?:[,\s]|$)')

WayOut = Callable[[Target, tuple[str, ...], float], Awaitable[Page]]
Asked = tuple[str, tuple[str, ...]]  # URL and media types
log = structlog.get_logger("valetkey.fetch")


class Fetched(Struct, frozen=True):
    """A document, when it was fetched, and until when it counts as fresh."""

    body: bytes
    at: int
    until: int


class Failed(Struct, frozen=True):
    """That nothing came, remembered like a document."""

    reason: str
    at: int
    until: int
    body: bytes = b""


class Fetch:
    """Documents of others by their URL; the way out is handed in."""

    def __init__(self, out: WayOut, clock: Clock, patience: float = PATIENCE) -> None:
        self.out, self.clock, self.patience = out, clock, patience
        self.kept: OrderedDict[Asked, Fetched | Failed] = OrderedDict()
        self.bytes = 0
        self.under_way: dict[Asked, tuple[str, asyncio.Task[Fetched | Failed]]] = {}
        self.minute = 0
        self.asked: dict[str, int] = {}

    async def __call__(self, url: str, accept: tuple[str, ...], age: int | None = None) -> Fetched:
        """The document at an https URL, of one of these media types. Raises FetchFailed.

        age: seconds; what was fetched longer ago is fetched again, fresh or not. Who asks while it is under way, waits
        for the same request.
        """
        now, asked = self.clock(), (url, accept)
        found = self.kept.get(asked)
        if found is None or found.until <= now or (age is not None and found.at < now - age):
            found = await self.fetched_once(asked)
        else:
            self.kept.move_to_end(asked)
        if isinstance(found, Failed):
            raise FetchFailed(found.reason)
        return found

    async def fetched_once(self, asked: Asked) -> Fetched | Failed:
        """One request for all who ask at the same time; who goes away does not end it for the others."""
        if asked not in self.under_way:
            where = target(asked[0])
            hosts = [host for host, _ in self.under_way.values()]
            if len(hosts) >= MOST_AT_ONCE or hosts.count(where.host) >= MOST_AT_ONCE_PER_HOST:
                raise FetchFailed("busy")
            if self.too_often(where):
                raise FetchFailed("too_often")
            task = asyncio.create_task(self.fetched(asked, where), name="valetkey-fetch")
            self.under_way[asked] = where.host, task
            task.add_done_callback(lambda _: self.under_way.pop(asked, None))
        return await asyncio.shield(self.under_way[asked][1])

    async def fetched(self, asked: Asked, where: Target) -> Fetched | Failed:
        """Ask, and keep what came of it."""
        found: Fetched | Failed
        try:
            page = await self.out(where, asked[1], self.patience)
        except FetchFailed as failure:
            log.info("fetch_failed", host=where.host, reason=failure.reason)
            now = self.clock()
            found = Failed(failure.reason, now, now + FAILED)
        else:
            now = self.clock()
            found = Fetched(page.body, now, now + freshness(page.cache_control))
        self.keep(asked, found)
        return found

    def keep(self, asked: Asked, found: Fetched | Failed) -> None:
        """Remember it; what was not asked for longest goes."""
        before = self.kept.pop(asked, None)
        self.bytes += len(found.body) - (len(before.body) if before else 0)
        self.kept[asked] = found
        while len(self.kept) > MOST_KEPT or self.bytes > MOST_BYTES:
            _, gone = self.kept.popitem(last=False)
            self.bytes -= len(gone.body)

    def too_often(self, where: Target) -> bool:
        """Count one more request to this host, unless it had its share of the running minute."""
        minute = self.clock() // 60
        if minute != self.minute:
            self.minute, self.asked = minute, {}
        count = self.asked.get(where.host, 0)
        if count >= MOST_PER_HOST or (not count and len(self.asked) >= MOST_HOSTS):
            return True
        self.asked[where.host] = count + 1
        return False

    async def close(self) -> None:
        """End what is under way."""
        tasks = [task for _, task in self.under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def freshness(cache_control: str) -> int:
    """Seconds to keep an answer for, out of its Cache-Control (RFC 9111 5.2.2), within our bounds."""
    said = cache_control.lower()
    if "no-store" in said or "no-cache" in said:
        return SHORTEST
    age = MAX_AGE.search(said)
    return USUAL if age is None else min(max(int(age[1]), SHORTEST), LONGEST)


def for_strangers(settings: Settings) -> FetchSettings:
    """[fetch] as it holds for apps that nobody vouches for: what they name may have a private address only on a host
    where the operator lets them be published (registration.allow_hosts)."""
    lets, never = settings.joining.allow_hosts, settings.joining.deny_hosts
    kept = tuple(
        host for host in settings.fetch.allow if lets and publishes(host.lower().strip("[]"), lets, never)
    )
    return replace(settings.fetch, allow=kept)


def way_out(settings: FetchSettings) -> WayOut:
    """The way to the internet as an operator set it, made when it is first gone: few servers ever do."""
    made: list[WayOut] = []

    async def get(where: Target, accept: tuple[str, ...], patience: float) -> Page:
        if not made:
            from valetkey.server.pinned_request import PinnedRequest
            from valetkey.server.resolver import Resolver

            made.append(PinnedRequest(Resolver(), settings.allow, settings.ca))
        return await made[0](where, accept, patience)

    return get
