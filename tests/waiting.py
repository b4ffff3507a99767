"""Waiting for what happens elsewhere: asked again and again, until it is so or its time is over."""

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE = 30.0  # seconds; what has not come by then does not come
PAUSE = 0.01


def until(is_so: Callable[[], bool], what: str = "it comes to that", within: float = PATIENCE) -> None:
    """Wait for something in another process."""
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, f"after {within:.1f} s still not: {what}"
        time.sleep(PAUSE)


async def becomes(
    is_so: Callable[[], bool | Awaitable[bool]],
    what: str = "it comes to that",
    within: float = PATIENCE,
    pause: float = PAUSE,
) -> None:
    """The same, while others go on in this process."""
    try:
        async with asyncio.timeout(within):
            while True:
                answer = is_so()
                if await answer if isinstance(answer, Awaitable) else answer:
                    return
                await asyncio.sleep(pause)
    except TimeoutError:
        raise AssertionError(f"after {within:.1f} s still not: {what}") from None
