"""Lets a bulk lane work only where its main lane leaves room.

Slots of its own keep a flood out of the main lane's queue, but not off its processors:
on a busy machine every upload of the flood that is understood makes others wait.
"""

import asyncio
from collections.abc import Callable
from time import monotonic

from streams.messages import Record
from streams.stage import Handled, Handler

# What a bulk event waits at most, so that a main lane that is never idle does not stop
# the bulk lane: each of its slots takes an event in this time at the least. With 1 s
# and four slots the others' p99 beside a flood doubled (`tests.chaos.fairness`).
MOST_WAIT_S = 5.0
LOOK_AGAIN_S = 0.02  # A text takes about as long.


class GivesWay:
    """A handler that waits, for a while, until the main lane has nothing in flight."""

    def __init__(
        self,
        handler: Handler,
        main_in_flight: Callable[[], int],
        most_wait_s: float = MOST_WAIT_S,
    ) -> None:
        self._handler = handler
        self._main_in_flight = main_in_flight
        self._most_wait_s = most_wait_s

    async def __call__(self, record: Record) -> Handled:
        """Wait, then handle the event."""
        until_s = monotonic() + self._most_wait_s
        # The count moves in many places, and none of them tells.
        while self._main_in_flight() and monotonic() < until_s:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_AGAIN_S)
        return await self._handler(record)
