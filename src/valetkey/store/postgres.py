"""The store in PostgreSQL: one round trip to look up, one to apply, concurrent requests in one statement."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from valetkey.protocol.changes import Changes
from valetkey.store import cleaning, counters, migrate, postgres_sql
from valetkey.store.address import Address
from valetkey.store.base import Conflict, Unavailable
from valetkey.store.lookups import Lookups
from valetkey.store.postgres_lane import Group, Job, Lane, Looking, Writing
from valetkey.store.postgres_link import Link, count
from valetkey.store.postgres_way import Way
from valetkey.store.rows import Row
from valetkey.store.sql import Point
from valetkey.store.steps import Step, check, steps_of

_SHARED, _ALONE = 4, 2  # connections
_CLEANERS = 0x636C65616E  # the advisory lock of those who clean: "clean"
# What a crash brings back dies again. One at a time, for of two who take the last code and the last token of an
# authorization neither sees that nothing is left.
_BEGINS = f"SET LOCAL synchronous_commit = off; SELECT pg_advisory_xact_lock({_CLEANERS})"


class PostgresStore(Lookups):
    """One worker's connections: four that look up and write for many at once, two for all else."""

    def __init__(self, address: Address) -> None:
        super().__init__()
        self._address = address
        way = Way(address)
        self._crowd, self._rest = (Lane([Link(way) for _ in range(links)]) for links in (_SHARED, _ALONE))
        self._points: dict[Point, Group] = {}
        self._shapes = {shape: Writing(statement) for shape, statement in postgres_sql.SHAPES.items()}
        self._alone = Job()
        # What this round of cleaning has left to look at, and how far it came.
        self._round: tuple[int, dict[cleaning.Dead, int]] = (0, {})

    async def open(self) -> None:
        await migrate.migrate_postgres(self._address)

    async def close(self) -> None:
        for lane in (self._crowd, self._rest):
            await lane.close()

    async def ready(self) -> bool:
        try:
            await self._crowd.ask(self._alone, lambda link: link.look("SELECT 1"))
        except Unavailable:
            return False
        return True

    def _one(self, point: Point, *keys: Any) -> Awaitable[Row | None]:
        group = self._points.get(point) or self._points.setdefault(point, Looking(point))
        return self._crowd.ask(group, keys)

    async def _all(self, statement: str, *values: Any) -> list[Row]:
        found: list[Row] = await self._do(lambda link: link.look(statement, *values))
        return found

    async def _do(self, work: Callable[[Link], Awaitable[Any]]) -> Any:
        return await self._rest.ask(self._alone, work)

    async def apply(self, changes: Changes) -> None:
        steps = steps_of(changes)
        shape = self._shapes.get(tuple([step.statement for step in steps]))
        if shape is not None:
            await self._crowd.ask(shape, steps)
        elif steps:
            await self._do(partial(_apply, steps))

    async def attempt(self, keys: Sequence[str], now: int, window: int) -> list[int]:
        check(keys)
        found = await self._do(
            lambda link: link.fetch(postgres_sql.ATTEMPT, list(set(keys)), now, now + window)
        )
        counts = {row[0]: row[1] for row in found}
        return [counts[key] for key in keys]

    async def forget_attempts(self, keys: Sequence[str]) -> None:
        check(keys)
        await self._do(lambda link: link.execute(postgres_sql.FORGET, list(keys)))

    async def add_usage(
        self, calls: dict[tuple[str, int], int], used: dict[int, int]
    ) -> dict[tuple[str, int], int]:
        check(key for key, _ in calls)
        if used:
            await self._do(lambda link: link.execute(postgres_sql.USED, list(used), list(used.values())))
        keys, hours = [key for key, _ in calls], [hour for _, hour in calls]
        if not calls:
            return {}
        found = await self._do(lambda link: link.fetch(postgres_sql.CALLS, keys, hours, list(calls.values())))
        return {(row[0], row[1]): row[2] for row in found}

    async def lease(self, name: str, holder: str, now: int, seconds: int) -> bool:
        row = (name, holder, now, now + seconds)
        check(row)
        return bool(await self._do(lambda link: link.execute(counters.LEASE, *row)))

    async def clean(self, now: int, limit: int) -> int:
        if self._round[0] != now:
            self._round = now, dict.fromkeys(cleaning.DEAD, 0)
        gone, left = 0, self._round[1]
        for dead in list(left):
            # half of what is left where each may take its authorization with it
            most = (limit - gone) // 2 if dead.rooted else limit - gone
            if not most:
                break
            went, left[dead] = await self._do(partial(_remove, dead, (most, now, left[dead])))
            gone += went
            if not went:
                del left[dead]
        if not gone:
            self._round = now, dict.fromkeys(cleaning.DEAD, 0)
        return gone

    async def empty(self, client_id: str, limit: int) -> int:
        gone: int = await self._do(partial(_empty, client_id, max(1, limit // 4)))
        return gone

    async def shrink(self, limit: int) -> int:
        return 0  # autovacuum does it, as schema/0003 asks


async def _apply(steps: list[Step], link: Link) -> None:
    if len(steps) > 1:
        await link.write(steps)
    elif await link.execute(steps[0].statement, *steps[0].values) == 0 and steps[0].must:
        raise Conflict  # a statement alone is a transaction


async def _remove(dead: cleaning.Dead, values: tuple[int, int, int], link: Link) -> tuple[int, int]:
    """Remove dead rows of one kind in a transaction of its own; returns how many went, and the end of the last."""

    async def work(connection: Any) -> tuple[int, int]:
        await connection.execute(_BEGINS)
        for statement in dead.first:
            await connection.execute(statement, *values[:2])
        rows = await connection.fetch(dead.many(), *values)
        if not rows:
            return 0, values[-1]
        if dead.after:
            await connection.execute(cleaning.OWN_POSTGRES, [row[0] for row in rows])
            await connection.execute(f"SET LOCAL synchronous_commit TO DEFAULT; {dead.after}")
        bare = "0"
        if dead.rooted:
            bare = await connection.execute(cleaning.BARE_POSTGRES, [row[0] for row in rows])
        return len(rows) + count(bare), rows[0][1]

    return await link.together(work)


async def _empty(client_id: str, most: int, link: Link) -> int:
    """Remove up to so many of each kind of what an app was allowed."""

    async def work(connection: Any) -> int:
        await connection.execute("SET LOCAL synchronous_commit = off")
        roots = [row[0] for row in await connection.fetch(cleaning.OF_APP, client_id, most)]
        if not roots:
            return 0
        emptying = cleaning.EMPTYING_POSTGRES
        gone = [count(await connection.execute(each, roots, most)) for each in emptying.hanging]
        if max(gone) < most:  # nothing hangs on them any more
            gone.append(count(await connection.execute(emptying.roots, roots)))
        return sum(gone)

    return await link.together(work)
