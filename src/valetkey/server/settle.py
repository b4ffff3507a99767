"""The only loop: look up, decide, apply; on Conflict look again, and the decision will be another."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from valetkey.protocol.changes import Changes, Once
from valetkey.store.base import Conflict, Store
from valetkey.store.gathering import turn

TURNS = 5


class Busy(Exception):
    """Somebody was faster five times in a row; the caller answers 503."""


class Decision(Protocol):
    """Whatever is decided carries its writes."""

    @property
    def changes(self) -> Changes: ...


Facts = TypeVar("Facts")
Decided = TypeVar("Decided", bound=Decision)


async def settle(
    store: Store,
    look_up: Callable[[frozenset[bytes]], Awaitable[Facts]],
    decide: Callable[[Facts], Decided],
) -> Decided:
    """Decide and write until nobody is in between. Raises Busy, and what decide raises.

    look_up is told which one-time keys of the decision before were used already: nobody asks before there is a doubt.
    decide raises Conflict when what it was given may not be so any more.
    """
    used: frozenset[bytes] = frozenset()
    for _ in range(TURNS):
        changes: Changes = ()
        try:
            decision = decide(await look_up(used))
            changes = decision.changes
            if changes:
                await turn()
                await store.apply(changes)
            return decision
        except Conflict:
            used = await store.remembered([each.key for each in changes if isinstance(each, Once)])
    raise Busy
