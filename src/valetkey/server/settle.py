"""The only loop: look up, decide, apply; on Conflict look again, and the decision will be another."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from valetkey.protocol.changes import Changes
from valetkey.store.base import Conflict, Store

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
    store: Store, look_up: Callable[[], Awaitable[Facts]], decide: Callable[[Facts], Decided]
) -> Decided:
    """Decide and write until nobody is in between. Raises Busy, and what decide raises."""
    for _ in range(TURNS):
        decision = decide(await look_up())
        if not decision.changes:
            return decision
        try:
            await store.apply(decision.changes)
        except Conflict:
            continue
        return decision
    raise Busy
