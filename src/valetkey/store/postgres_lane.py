"""A few connections and the work that waits for one: what can share a statement is asked for together.

A lone request waits for nobody. A round trip costs as much as twenty requests in it, so where many are under way at
once, one batch follows another: what arrives meanwhile makes the next one, which starts beside it only once it is large
or has waited.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import Any

import asyncpg

from valetkey.store.base import Conflict, Unavailable
from valetkey.store.gathering import Gathering
from valetkey.store.postgres_link import Link
from valetkey.store.rows import Row
from valetkey.store.sql import Point
from valetkey.store.steps import Step

_MOST = 256  # requests in one statement
_MANY = 16  # requests under way, from which on they gather
_LARGE = 32  # requests that are worth a round trip beside another
_PATIENCE = 0.004  # seconds for which fewer wait

Entry = tuple[asyncio.Future[Any], Any]


class Group(ABC):
    """What can be asked for together. Answers are values or exceptions, one for each that asked."""

    @abstractmethod
    async def answer(self, link: Link, asked: Sequence[Any]) -> list[Any]: ...


class Looking(Group):
    """The same look-up for many keys."""

    def __init__(self, point: Point) -> None:
        self._statement, self._by_key = point.many, point.first is not None

    async def answer(self, link: Link, asked: Sequence[Any]) -> list[Any]:
        rows = await link.look(self._statement, *zip(*asked, strict=True))
        found: dict[Any, Row] = {row[0]: row[1:] for row in rows}
        if self._by_key:
            return [found.get(key) for (key,) in asked]
        return [found.get(number) for number in range(1, len(asked) + 1)]


class Writing(Group):
    """The same list of steps with different values, as one statement that returns the numbers of those written."""

    def __init__(self, statement: str) -> None:
        self._statement = statement

    async def answer(self, link: Link, asked: Sequence[list[Step]]) -> list[Any]:
        columns = zip(*([value for step in steps for value in step.values] for steps in asked), strict=True)
        try:
            written = {row[0] for row in await link.fetch(self._statement, *columns)}
        except (Conflict, asyncpg.PostgresError):  # one of them is at fault, not its neighbours
            return await _each(asked, link.write)
        return [None if number in written else Conflict() for number in range(1, len(asked) + 1)]


async def _each(asked: Sequence[Any], work: Callable[[Any], Awaitable[Any]]) -> list[Any]:
    """One after another; once the server is gone, it is not asked for the rest."""
    answers: list[Any] = []
    for what in asked:
        try:
            answers.append(await work(what))
        except Unavailable as error:
            return answers + [Unavailable(str(error)) for _ in asked[len(answers) :]]
        except Exception as error:
            answers.append(error)
    return answers


class Job(Group):
    """Something that is done for one alone."""

    async def answer(self, link: Link, asked: Sequence[Callable[[Link], Awaitable[Any]]]) -> list[Any]:
        return await _each(asked, lambda work: work(link))


class Lane:
    """The connections and who waits for them; groups take turns."""

    def __init__(self, links: Sequence[Link]) -> None:
        self._links, self._free = links, list(links)
        self._waiting: dict[Group, list[Entry]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked = 0  # requests under way
        self._gathering = Gathering(self._start, lambda: self._asked)
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def ask(self, group: Group, what: Any) -> asyncio.Future[Any]:
        """Hand in one request; the future is its answer."""
        if self._closed:
            raise Unavailable("the store is closed")
        self._asked += 1
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.setdefault(group, []).append((future, what))
        self._gathering.arm()
        return future

    async def close(self) -> None:
        """Refuse what is new, finish what was handed in, disconnect."""
        self._closed = True
        while self._gathering.armed or self._tasks:
            await asyncio.sleep(0)
            if self._tasks:
                await asyncio.wait(self._tasks)
        for link in self._links:
            await link.close()

    def _start(self) -> None:
        while self._waiting and self._free:
            if not self._worth_it():
                self._timer = self._timer or self._loop.call_later(_PATIENCE, self._set_off)
                return
            self._set_off()

    def _worth_it(self) -> bool:
        """Whether what waits deserves a connection while another is at work."""
        group, entries = next(iter(self._waiting.items()))
        alone = len(self._free) == len(self._links)
        return alone or self._asked < _MANY or len(entries) >= _LARGE or isinstance(group, Job)

    def _set_off(self) -> None:
        """Put a free connection to work, if there is one and work for it."""
        self._timer = None
        if self._waiting and self._free:
            task = self._loop.create_task(self._work(self._free.pop(), *self._take()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _take(self) -> tuple[Group, list[Entry]]:
        group = next(iter(self._waiting))
        entries = self._waiting.pop(group)
        most = 1 if isinstance(group, Job) else _MOST
        self._gathering.took(min(len(entries), most))
        if len(entries) > most:
            self._waiting[group] = entries[most:]
        if self._timer is not None:  # whoever waited longest has a turn now
            self._timer.cancel()
            self._timer = None
        return group, entries[:most]

    async def _work(self, link: Link, group: Group, entries: list[Entry]) -> None:
        try:
            await self._settle(link, group, entries)
            while self._waiting:
                await self._settle(link, *self._take())
        finally:
            self._free.append(link)

    async def _settle(self, link: Link, group: Group, entries: list[Entry]) -> None:
        """Ask, and tell each that still waits."""
        try:
            answers = await group.answer(link, [what for _, what in entries])
        except Unavailable as error:
            answers = [Unavailable(str(error)) for _ in entries]
        except Exception as error:
            answers = [error for _ in entries]
        self._asked -= len(entries)
        for (future, _), answer in zip(entries, answers, strict=True):
            if future.done():  # whoever asked has gone
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
