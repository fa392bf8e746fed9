"""Many sounds at once: their windows share the engine's batches, none holds up another.

Between `agents` and `hearing`. A sound has so many windows in flight at most, so hours
of it can't fill the queue: a short sound's window waits for those few of each other.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import ParamSpec, TypeVar

from encoders.signals import SpeechResult
from encoders.speech import Window
from streams.batcher import Batcher
from streams.hearing import Heard, Notes, SoundWindows

Result = TypeVar("Result")
Given = ParamSpec("Given")


class SharedHearing:
    """Hears sounds side by side; lives on the event loop, which it never blocks.

    `threads` decode, and write notes. `ahead` bounds a sound's windows in flight, twice
    as many those of all sounds; who waits for room gets it in turn.
    """

    def __init__(
        self,
        windows: Batcher[Window, SpeechResult],
        threads: Executor,
        *,
        ahead: int,
    ) -> None:
        self._windows = windows
        self._threads = threads
        self._ahead = ahead
        self._room = asyncio.Semaphore(2 * ahead)

    async def hear(
        self, sound: SoundWindows, notes: Notes, told: Callable[[float], None]
    ) -> Heard:
        """Hear one sound to its end: the same as `hearing.hear_sound` gives.

        `told` hears after each window how many seconds are done. A cancel takes effect
        at once; the sound is closed in any case.
        """
        in_flight: deque[tuple[float, asyncio.Task[SpeechResult]]] = deque()
        results: list[SpeechResult] = []

        async def settle(at_most: int) -> None:
            while len(in_flight) > at_most:
                start_s, task = in_flight[0]
                results.append(await task)
                in_flight.popleft()
                told(start_s)

        try:
            while (windows := await self.blocking(sound.read)) is not None:
                for window in windows:
                    await settle(self._ahead - 1)
                    await self._room.acquire()
                    task = asyncio.create_task(self._one(window, notes))
                    task.add_done_callback(lambda _: self._room.release())
                    in_flight.append((window.start_s, task))
                if not in_flight:
                    told(sound.decoded_s)
            await settle(0)
            return sound.heard(results)
        finally:
            for _, task in in_flight:
                task.cancel()
            # On a thread, as it waits for a read that is under way.
            self._threads.submit(sound.close)
            left = (task for _, task in in_flight)
            await asyncio.gather(*left, return_exceptions=True)

    async def blocking(
        self, work: Callable[Given, Result], *values: Given.args, **named: Given.kwargs
    ) -> Result:
        """Run what blocks on one of the threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*values, **named))

    async def _one(self, window: Window, notes: Notes) -> SpeechResult:
        known = notes.recall(window)
        if known is not None:
            return known
        result = await self._windows.submit(window)
        await self.blocking(notes.note, window, result)
        return result
