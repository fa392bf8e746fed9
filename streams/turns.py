"""Lets partitions commit side by side, or, where many events wait, one after another.

A transaction costs the broker and us the same for one event as for a hundred. Where
events are few, none should wait for another's; where they pile up, they should gather.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

# With so many at hand, one transaction at a time decides twice as many cheap uploads a
# second as twelve side by side do (2 cores); with 120 the crowd never came together.
CROWD: Final = 32


class Turns:
    """Who commits next; `waiting` says how many events wait or are at work."""

    def __init__(self, waiting: Callable[[], int], crowd: int = CROWD) -> None:
        self._waiting = waiting
        self._crowd = crowd
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for a turn, if there is a crowd."""
        if self._waiting() < self._crowd:
            yield
            return
        async with self._one_at_a_time:
            yield
