"""Keeps decode processes: so many side by side, each replaced when it has had its time.

Between `sandbox`, which says what is to be done, and `sandbox_process`.
"""

import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, LifoQueue

from encoders.sandbox_process import DecoderProcess
from encoders.signals import DecoderUnavailableError


class DecoderPool:
    """Places for decode processes, which start when first needed.

    They end with this object, or with this process however it ends.
    """

    def __init__(self, places: int, recycle_after: int, command: Sequence[str]) -> None:
        self._recycle_after = recycle_after
        self._command = tuple(command)
        self._free: LifoQueue[DecoderProcess | None] = LifoQueue()
        for _ in range(places):
            self._free.put(None)
        self._live: set[DecoderProcess] = set()
        # The kernel ends a process with the *thread* that started it: this one lasts.
        self._starter = ThreadPoolExecutor(1, "decoder-start")
        self._end = weakref.finalize(
            self, _end_all, self._live, self._free, self._starter
        )

    def take(self) -> DecoderProcess | None:
        """Wait for a place; return the process that is idle in it, if there is one."""
        return self._free.get()

    def give(self, process: DecoderProcess | None) -> None:
        """Give a place back with the process that may serve again, or none."""
        if process is not None and not self._serves(process):
            self.discard(process)
            process = None
        self._free.put(process)

    def ready(self, process: DecoderProcess | None) -> DecoderProcess:
        """Return this process, or another where it is none or dead.

        Raises:
            DecoderUnavailableError: none can be started, or the pool is closed.
        """
        if process is not None and process.alive:
            return process
        self.discard(process)
        self.check_open()
        try:
            start = self._starter.submit(DecoderProcess, self._command)
        except RuntimeError as error:  # The interpreter is on its way out.
            raise DecoderUnavailableError("the decoders have been ended") from error
        process = start.result()
        self._live.add(process)
        return process

    def _serves(self, process: DecoderProcess) -> bool:
        open_and_alive = self._end.alive and process.alive
        return open_and_alive and process.files < self._recycle_after

    def discard(self, process: DecoderProcess | None) -> None:
        """End a process whose place stays taken."""
        if process is not None:
            self._live.discard(process)
            process.close()

    def check_open(self, cause: Exception | None = None) -> None:
        """Raise DecoderUnavailableError once the pool is closed."""
        if not self._end.alive:
            raise DecoderUnavailableError("the decoders have been ended") from cause

    def close(self) -> None:
        """End all; work in other threads ends as unavailable."""
        self._end()


def _end_all(
    live: set[DecoderProcess],
    free: "LifoQueue[DecoderProcess | None]",
    starter: ThreadPoolExecutor,
) -> None:
    """Kill all; those at work are closed by the thread that they work for."""
    starter.shutdown(wait=False, cancel_futures=True)
    for process in list(live):
        process.kill()
    places = []
    with suppress(Empty):
        while True:
            places.append(free.get_nowait())
    for idle in places:
        if idle is not None:
            idle.close()
        free.put(None)
