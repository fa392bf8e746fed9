"""How often and how long a transient failure is tried again."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from streams.errors import HeadgateError, PermanentError, TransientError

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


class _Tries:
    """Counts tries of one piece of work and says how long to pause after each."""

    def __init__(self, bounds: RetryBounds | None, clock_s: Callable[[], float]):
        self._bounds = bounds
        self._clock_s = clock_s
        self._started_s = clock_s()
        self.attempt = 1

    def pause_after(self, error: TransientError) -> float:
        """Return the pause before the next try, in seconds.

        Raises:
            RetriesExhaustedError: there is none.
        """
        pause_s, bounds = backoff_s(self.attempt), self._bounds
        if bounds is not None and (
            self.attempt >= bounds.attempts
            or self._clock_s() + pause_s - self._started_s > bounds.within_s
        ):
            raise RetriesExhaustedError(self.attempt, error) from error
        self.attempt += 1
        return pause_s


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
    tries = _Tries(bounds, clock_s)
    while True:
        try:
            return await work(), tries.attempt
        except TransientError as error:
            pause_s = tries.pause_after(error)
        await sleep(pause_s)


def retried_blocking(
    work: Callable[[], Result],
    bounds: RetryBounds,
    sleep: Callable[[float], None] = time.sleep,
    clock_s: Callable[[], float] = monotonic,
) -> tuple[Result, int]:
    """Do as `retried`, on a thread that may wait.

    Raises:
        RetriesExhaustedError: every attempt failed in a way that might have passed.
    """
    tries = _Tries(bounds, clock_s)
    while True:
        try:
            return work(), tries.attempt
        except TransientError as error:
            pause_s = tries.pause_after(error)
        sleep(pause_s)


class RetriesExhaustedError(PermanentError):
    """A transient failure that did not pass in the tries it was given."""

    def __init__(self, attempts: int, last: TransientError) -> None:
        super().__init__(
            "retries_exhausted", f"gave up after {attempts} tries; the last: {last}"
        )
        self.attempts = attempts


async def keep_on(
    step: Callable[[], Awaitable[None]],
    let_go: Callable[[], Awaitable[None]],
    tell: Callable[[str], None],
) -> None:
    """Take steps until cancelled; what a step could not reach is waited for.

    Args:
        step: does a little, and rests where there is nothing to do.
        let_go: closes what is open; the next step begins anew.
        tell: is told why a step failed.
    """
    attempt = 0
    try:
        while True:
            try:
                await step()
                attempt = 0
            except HeadgateError as error:
                attempt += 1
                tell(str(error))
                await let_go()
                await asyncio.sleep(backoff_s(attempt))
    finally:
        await let_go()
