"""The processes of a replay: each takes a partition at a time; one counts them all."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from queue import Empty
from typing import Any, Final

from streams.errors import TransientError

_LOOK_S: Final = 0.2  # How often progress is gathered.
_MODULES: Final = ["streams.replaying.tasks"]

_told: Any = None  # In a child: the queue that progress goes to …
_stopping: Any = None  # … and the event that says stop.
_parent: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """A function of `streams.replaying.tasks` and its argument, both picklable."""

    work: Callable[[Any], Any]
    argument: Any


class Crew:
    """Runs tasks in processes; a context manager.

    Processes come from a fork server, which has loaded everything and holds no threads:
    forking this one, with a Kafka client's threads in it, could hang.
    """

    def __init__(self, processes: int) -> None:
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_MODULES)
        self._queue = self._context.Queue()
        self._stop = self._context.Event()
        self._pool = ProcessPoolExecutor(
            processes, self._context, _begin, (self._queue, self._stop, os.getpid())
        )

    def run(self, tasks: Iterable[Task], tell: Callable[[int], None]) -> list[Any]:
        """Return the tasks' results in their order; `tell` hears of records done.

        Raises:
            KeyboardInterrupt: asked for; every task has stopped at a checkpoint.
            HeadgateError: what a task raised, or a process died.
        """
        futures = [self._pool.submit(task.work, task.argument) for task in tasks]
        try:
            self._wait(set(futures), tell)
        except KeyboardInterrupt:
            self._stop.set()
            self._wait(set(futures), tell)
            raise
        try:
            return [future.result() for future in futures]
        except BrokenProcessPool as error:  # Killed, by a lack of memory say.
            raise TransientError("a process of the replay died") from error

    def _wait(self, left: set["Future[Any]"], tell: Callable[[int], None]) -> None:
        while left:
            done, left = wait(left, _LOOK_S, FIRST_COMPLETED)
            self._gather(tell)
            if any(future.exception() is not None for future in done):
                self._stop.set()  # The others go no further than their checkpoints.

    def _gather(self, tell: Callable[[int], None]) -> None:
        while True:
            try:
                tell(self._queue.get_nowait())
            except Empty:
                return

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)
        self._queue.close()


def _begin(queue: Any, stop: Any, parent: int) -> None:
    global _told, _stopping, _parent
    # Ctrl-C goes to all processes; this one finishes up to its checkpoint.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _told, _stopping, _parent = queue, stop, parent


def tell(records: int) -> None:
    """In a task: say how many more records are done."""
    _told.put(records)


def should_stop() -> bool:
    """In a task: whether to stop; also when whoever asked for the work is gone."""
    try:
        os.kill(_parent, 0)
    except ProcessLookupError:
        return True
    return bool(_stopping.is_set())
