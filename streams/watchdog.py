"""Ends a worker that is stuck, after telling where: what Faust lacks (faust.md F19).

One task on the event loop ticks; one thread watches the ticks. A stuck loop, an event
that never ends, or a membership that is lost for good ends the process with the stacks
of every thread and task in the log; the orchestrator starts it anew.
"""

import asyncio
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from types import FrameType

from streams.errors import HeadgateError
from streams.health import Health, LaneState
from streams.metrics import Metrics
from streams.telemetry import EventLog

TICK_S = 1.0
# In checks, not by a clock: a worker that was frozen (SIGSTOP, a paused machine) wakes
# with every age too high, and gets this many ticks to catch up.
STUCK_CHECKS = 30
_DEEPEST = 12  # Frames of a stack that are told; the innermost say where it hangs.


class StuckError(HeadgateError):
    """The worker does no work any more and would not by waiting."""


class Watchdog:
    """Ticks, watches the ticks, and ends the process when they tell of no way on."""

    def __init__(
        self,
        health: Health,
        metrics: Metrics,
        log: EventLog,
        *,
        lanes: Callable[[], Iterable[LaneState]],
        joined: Callable[[], dict[str, bool]],
        broker_answers: Callable[[], bool],
        tick_s: float = TICK_S,
        stuck_checks: int = STUCK_CHECKS,
    ) -> None:
        self._health = health
        self._metrics = metrics
        self._log = log
        self._lanes = lanes
        self._joined = joined
        self._broker_answers = broker_answers
        self._tick_s = tick_s
        self._stuck_checks = stuck_checks
        self._over = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Tick until cancelled."""
        self._loop = loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        thread.start()
        try:
            while True:
                self._tick()
                due_s = loop.time() + self._tick_s
                await asyncio.sleep(self._tick_s)
                self._metrics.loop_lag.set(max(0.0, loop.time() - due_s))
        finally:
            self._over.set()

    def _tick(self) -> None:
        lanes = tuple(self._lanes())
        self._health.tick(lanes, self._joined())
        for lane in lanes:
            labels = (lane.stage, lane.lane)
            self._metrics.in_flight.labels(*labels).set(lane.in_flight)
            self._metrics.head_age.labels(*labels).set(lane.head_age_s)
        self._metrics.ready.set(not self._health.ready_problems())

    def _watch(self) -> None:
        hung, stuck, ticks = 0, 0, -1
        while not self._over.wait(self._tick_s):
            hung = hung + 1 if self._health.ticks == ticks else 0
            ticks = self._health.ticks
            if hung >= self._stuck_checks:
                return self._end(["the event loop does not run"])
            # A stop has a deadline of its own.
            problems = [] if self._health.stopping else self._health.stuck_problems()
            stuck = stuck + 1 if problems else 0
            # Asked last, for it is slow: a broker that is away excuses these.
            if stuck >= self._stuck_checks and self._broker_answers():
                return self._end(problems)

    def _end(self, problems: list[str]) -> None:
        self._log.note("stacks", threads=_threads(), tasks=_tasks(self._loop))
        self._log.fatal("watchdog", StuckError("; ".join(problems)))


def _threads() -> dict[str, list[str]]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return {
        names.get(ident, str(ident)): _places(frame)
        for ident, frame in sys._current_frames().items()
    }


def _tasks(loop: asyncio.AbstractEventLoop | None) -> dict[str, list[str]]:
    if loop is None:
        return {}
    return {
        task.get_name(): [place for f in task.get_stack() for place in _places(f, 1)]
        for task in asyncio.all_tasks(loop)
    }


def _places(frame: FrameType, deepest: int = _DEEPEST) -> list[str]:
    """Return where a stack is as file:line; no source and no values."""
    found = traceback.extract_stack(frame)[-deepest:]
    return [f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in found]
