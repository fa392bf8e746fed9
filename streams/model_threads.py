"""Runs a model's batches on a thread of its own, so that the event loop stays free."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from time import monotonic
from typing import TypeVar

from encoders.devices import is_out_of_memory
from streams.errors import TransientError

Item = TypeVar("Item")
Result = TypeVar("Result")


def off_the_loop(
    work: Callable[[Sequence[Item]], Sequence[Result]],
    pool: Executor,
    observe: Callable[[int, float], None] = lambda items, took_s: None,
) -> Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]:
    """Run a batch on a model's own thread: one call at a time, loop kept free.

    Memory that ran out raises `TransientError`: the batch is halved, then retried.
    `observe` is told each batch's items and seconds.
    """

    async def run(items: Sequence[Item]) -> Sequence[Result]:
        loop, started_s = asyncio.get_running_loop(), monotonic()
        try:
            return await loop.run_in_executor(pool, work, items)
        except Exception as error:
            if is_out_of_memory(error):
                raise TransientError("a model ran out of memory") from error
            raise
        finally:
            observe(len(items), monotonic() - started_s)

    return run
