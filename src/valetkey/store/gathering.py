"""When the next batch goes: at once for who is alone, and after a batch that several shared when as many are back.

A transaction costs as much as ten of the requests in it, and so does a round trip. Whoever was in the last batch has
its answer by now, and many send their next request when they have it; they get a few turns of the loop for that, some
microseconds each.
"""

import asyncio
from collections.abc import Callable, Generator
from types import coroutine

_SEVERAL = 4  # requests in a batch, from which on the next one waits
_TURNS = 3


@coroutine
def turn() -> Generator[None, None, None]:
    """Go on in the next turn of the loop, when the others have come as far (decision 0038)."""
    yield


class Gathering:
    """Calls `start` in a turn of the loop to come; `waiting` says how many there are for it to take."""

    def __init__(self, start: Callable[[], None], waiting: Callable[[], int]) -> None:
        self._start, self._waiting = start, waiting
        self._last = self._turns = 0
        self.armed = False

    def arm(self) -> None:
        """Somebody waits."""
        if not self.armed:
            self.armed = True
            self._turns = _TURNS if self._last >= _SEVERAL else 0
            asyncio.get_running_loop().call_soon(self._turn)

    def took(self, count: int) -> None:
        """A batch of so many has gone."""
        self._last = count

    def _turn(self) -> None:
        if self._turns and self._waiting() < self._last:
            self._turns -= 1
            asyncio.get_running_loop().call_soon(self._turn)
            return
        self.armed = False
        self._start()
