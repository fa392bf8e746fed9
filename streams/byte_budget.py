"""Bounds the bytes of media that a stage holds at once; media.py reserves here.

First come, first served, and one reservation an upload: nobody waits for more while
holding some, so that uploads can't lock each other out.
"""

import asyncio
from collections import deque


class ByteBudget:
    """So many bytes for all; who finds too few free waits for the ones before it."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._free_bytes = limit_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def held_bytes(self) -> int:
        """How many bytes are reserved now."""
        return self.limit_bytes - self._free_bytes

    @property
    def waiting(self) -> int:
        """How many uploads wait for bytes now."""
        return len(self._waiting)

    async def reserve(self, wanted_bytes: int) -> "Reservation":
        """Wait for `wanted_bytes`; more than the whole budget gets the whole of it.

        The caller must `release` what it gets.
        """
        amount = min(wanted_bytes, self.limit_bytes)
        if not self._waiting and amount <= self._free_bytes:
            self._free_bytes -= amount
            return Reservation(self, amount)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # Its turn came in the same breath.
                self._free_bytes += amount
            self._admit()  # The ones behind it may fit.
            raise
        return Reservation(self, amount)

    def give_back(self, amount_bytes: int) -> None:
        """Free bytes and let in who waits for them; called by reservations."""
        self._free_bytes += amount_bytes
        self._admit()

    def _admit(self) -> None:
        while self._waiting:
            amount, turn = self._waiting[0]
            if not turn.done() and amount > self._free_bytes:
                return
            self._waiting.popleft()
            if not turn.done():  # Done already: whoever waited was cancelled.
                self._free_bytes -= amount
                turn.set_result(None)


class Reservation:
    """Bytes that are set aside for one upload."""

    def __init__(self, budget: ByteBudget, held_bytes: int) -> None:
        self._budget = budget
        self.held_bytes = held_bytes

    def keep(self, needed_bytes: int) -> None:
        """Give back what is above `needed_bytes`; never takes more."""
        spare = self.held_bytes - needed_bytes
        if spare > 0:
            self.held_bytes = needed_bytes
            self._budget.give_back(spare)

    def release(self) -> None:
        """Give back all of it; a second time does nothing."""
        self.keep(0)
