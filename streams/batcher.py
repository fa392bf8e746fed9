"""Gathers single items into micro-batches for a model, with a deadline.

A batch leaves when it is full or when its first item has waited `wait_s`. While the
model works on one batch the next gathers, so under load batches fill by themselves
and the wait costs nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Item, Result]):
    item: Item
    result: "asyncio.Future[Result]"


class Batcher(Generic[Item, Result]):
    """Turns `work` on many items into `submit` of one.

    `work` takes a batch and returns as many results, in order; it must not block the
    event loop. When it raises, the batch is halved and tried again until the guilty
    item is alone, and only that item's `submit` raises. The queue is unbounded, so the
    owner bounds how many items are submitted at once (its slots in flight).
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        size: int,
        wait_s: float,
    ) -> None:
        self._work = work
        self._size = size
        self._wait_s = wait_s
        self._queue: asyncio.Queue[_Waiting[Item, Result]] = asyncio.Queue()
        self._loop_task: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Wait for the item's turn and return its result.

        Raises:
            Exception: whatever `work` raised for this item alone.
            asyncio.CancelledError: the batcher was closed.
        """
        if self._loop_task is None:
            self._loop_task = asyncio.create_task(self._run())
        waiting = _Waiting[Item, Result](item, asyncio.Future())
        self._queue.put_nowait(waiting)
        return await waiting.result

    async def close(self) -> None:
        """Stop; items that still wait are cancelled."""
        if self._loop_task is not None:
            self._loop_task.cancel()
            await asyncio.gather(self._loop_task, return_exceptions=True)
            self._loop_task = None
        while not self._queue.empty():
            self._queue.get_nowait().result.cancel()

    async def _run(self) -> None:
        while True:
            batch = await self._gather()
            try:
                await self._finish(batch)
            finally:
                for waiting in batch:  # Only a close leaves any of them open.
                    waiting.result.cancel()

    async def _gather(self) -> list[_Waiting[Item, Result]]:
        loop = asyncio.get_running_loop()
        batch = [await self._queue.get()]
        deadline_s = loop.time() + self._wait_s
        while len(batch) < self._size:
            if self._queue.empty():
                left_s = deadline_s - loop.time()
                if left_s <= 0:
                    break
                try:
                    batch.append(await asyncio.wait_for(self._queue.get(), left_s))
                except TimeoutError:
                    break
            else:
                batch.append(self._queue.get_nowait())
        return batch

    async def _finish(self, batch: list[_Waiting[Item, Result]]) -> None:
        batch = [waiting for waiting in batch if not waiting.result.done()]
        if not batch:
            return
        try:
            results = await self._work([waiting.item for waiting in batch])
            if len(results) != len(batch):
                raise RuntimeError(
                    f"a batch of {len(batch)} items gave {len(results)} results; "
                    "expected one each"
                )
        except Exception as error:
            await self._isolate(batch, error)
            return
        for waiting, result in zip(batch, results, strict=True):
            if not waiting.result.done():
                waiting.result.set_result(result)

    async def _isolate(
        self, batch: list[_Waiting[Item, Result]], error: Exception
    ) -> None:
        """Find the item that makes a batch fail, by halves."""
        if len(batch) == 1:
            if not batch[0].result.done():
                batch[0].result.set_exception(error)
            return
        middle = len(batch) // 2
        await self._finish(batch[:middle])
        await self._finish(batch[middle:])
