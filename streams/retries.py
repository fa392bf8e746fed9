"""How often and how long a transient failure is tried again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from streams.errors import PermanentError, TransientError

Result = TypeVar("Result")

# "Full jitter" over capped exponential backoff (M. Brooker, "Exponential Backoff And
# Jitter", AWS Architecture Blog, 2015) spreads retries, so that no waves come.
FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 5.0


def backoff_s(attempt: int, jitter: Callable[[], float] = random.random) -> float:
    """Return the pause before try `attempt` + 1 (attempts count from 1), in seconds."""
    longest_s = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** (attempt - 1))
    return jitter() * longest_s


@dataclass(frozen=True, slots=True)
class RetryBounds:
    """How long a transient failure is tried again; whichever bound comes first.

    No try begins after `within_s` from the first one's start, so an event is settled
    at the latest `within_s` and one try later, and holds up nothing for longer.
    """

    attempts: int
    within_s: float


async def retried(
    work: Callable[[], Awaitable[Result]],
    bounds: RetryBounds | None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock_s: Callable[[], float] = monotonic,
) -> tuple[Result, int]:
    """Run `work` until it succeeds and return its result and how many tries it took.

    `bounds` None tries for ever: right for output that must not be lost, where the
    partition waits instead.

    Raises:
        RetriesExhaustedError: every attempt failed in a way that might have passed.
    """
    attempt, started_s = 1, clock_s()
    while True:
        try:
            return await work(), attempt
        except TransientError as error:
            pause_s = backoff_s(attempt)
            if bounds is not None and (
                attempt >= bounds.attempts
                or clock_s() + pause_s - started_s > bounds.within_s
            ):
                raise RetriesExhaustedError(attempt, error) from error
            await sleep(pause_s)
            attempt += 1


class RetriesExhaustedError(PermanentError):
    """A transient failure that did not pass in the tries it was given."""

    def __init__(self, attempts: int, last: TransientError) -> None:
        super().__init__(
            "retries_exhausted", f"gave up after {attempts} tries; the last: {last}"
        )
        self.attempts = attempts
