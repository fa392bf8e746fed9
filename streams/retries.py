"""How often and how long a transient failure is tried again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
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


async def retried(
    work: Callable[[], Awaitable[Result]],
    attempts: int | None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> tuple[Result, int]:
    """Run `work` until it succeeds and return its result and how many tries it took.

    `attempts` None tries for ever: right for output that must not be lost, where the
    partition waits instead.

    Raises:
        RetriesExhaustedError: every attempt failed in a way that might have passed.
    """
    attempt = 1
    while True:
        try:
            return await work(), attempt
        except TransientError as error:
            if attempts is not None and attempt >= attempts:
                raise RetriesExhaustedError(attempt, error) from error
            await sleep(backoff_s(attempt))
            attempt += 1


class RetriesExhaustedError(PermanentError):
    """A transient failure that did not pass in the tries it was given."""

    def __init__(self, attempts: int, last: TransientError) -> None:
        super().__init__(
            "retries_exhausted", f"gave up after {attempts} tries; the last: {last}"
        )
        self.attempts = attempts
