"""What is told of each event: one log line at its end, and its metrics.

Never text or media of an upload: lines carry ids, codes, counts and milliseconds.
"""

import os
import sys
from collections.abc import Callable, Mapping
from time import monotonic
from typing import NoReturn

import structlog

from streams.errors import HeadgateError, PermanentError
from streams.logs import frames_of
from streams.messages import Record
from streams.metrics import Metrics

# sysexits.h EX_SOFTWARE: an internal fault; the orchestrator starts the worker anew.
EXIT_FAULT = 70


class EventLine:
    """The log line of one event; written once, when the event ends."""

    def __init__(
        self, stage: str, record: Record, metrics: Metrics | None = None
    ) -> None:
        self._started_s = monotonic()
        self._stage = stage
        self._metrics = metrics
        self._log = structlog.get_logger().bind(
            stage=stage,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
        )

    def finish(self, **facts: object) -> None:
        """Write that the stage is done with the event."""
        self._count("done", facts)
        self._log.info("event_done", ms=self._ms(), **facts)

    def dead_letter(
        self, error: PermanentError, defect: Exception | None = None
    ) -> None:
        """Write that the event became a dead letter; a defect shows where it is."""
        self._count("dead_letter", {"attempts": error.attempts})
        if self._metrics is not None:
            self._metrics.dead_letters.labels(self._stage, error.code).inc()
        where = frames_of(defect) if defect is not None else None
        facts = {} if where is None else {"error": type(defect).__name__, "at": where}
        self._log.warning(
            "event_dead_letter", ms=self._ms(), reason=error.code, **facts
        )

    def _count(self, outcome: str, facts: Mapping[str, object]) -> None:
        if self._metrics is not None:
            took_s = monotonic() - self._started_s
            self._metrics.count_event(self._stage, outcome, took_s, facts)

    def _ms(self) -> float:
        return round((monotonic() - self._started_s) * 1000, 1)


class EventLog:
    """Begins event lines, notes what else happens, and ends the process on a fault."""

    def __init__(
        self,
        metrics: Metrics | None = None,
        exit_process: Callable[[int], NoReturn] = os._exit,
    ) -> None:
        self._metrics = metrics
        self._exit_process = exit_process

    def begin(self, stage: str, record: Record) -> EventLine:
        """Start the clock of one event."""
        return EventLine(stage, record, self._metrics)

    def note(self, event: str, **facts: object) -> None:
        """Write a line that is not about one event."""
        if self._metrics is not None:
            self._metrics.count_note(event, facts)
        structlog.get_logger().info(event, **facts)

    def fatal(self, stage: str, error: BaseException) -> NoReturn:
        """Say why and exit at once, without acking anything in flight.

        `os._exit` on purpose: an orderly exit would let Faust commit the failing
        event on its way out (faust.md F18).
        """
        # Only our own messages are known to hold no text of an upload.
        message = str(error) if isinstance(error, HeadgateError) else None
        structlog.get_logger().critical(
            "stage_stopped",
            stage=stage,
            error=type(error).__name__,
            message=message,
            at=frames_of(error),
        )
        sys.stderr.flush()
        self._exit_process(EXIT_FAULT)
