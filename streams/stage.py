"""Runs the events of one stage side by side, losing none: the ledger mode.

An agent hands each event to `admit`. From there: a slot (bounds memory and the work a
crash repeats), the ledger, the stage's own work with retries, its outputs confirmed by
the broker, and then, in offset order, the commit. Every failure ends as a retry or as a
dead letter whose delivery was confirmed too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from schemas.place import Place
from streams.commits import Committer
from streams.crash_guard import Guard
from streams.dead_letters import DeadLetters
from streams.errors import PermanentError
from streams.ledger import Entry, Ledger, TopicPartition
from streams.messages import Output, Record
from streams.retries import RetryBounds, retried
from streams.telemetry import EventLine, EventLog


class Producer(Protocol):
    """Writes outputs; returns once the broker has confirmed."""

    async def send(self, output: Output) -> None:
        """Write one record; its time is now if none is given.

        Raises:
            TransientError: not confirmed; it may or may not have been written.
            PermanentError: the broker will never take it (too large, not allowed).
        """


# How long a cancelled handler may take to let go of what it holds: milliseconds.
CANCEL_S: Final = 1.0


async def write_confirmed(producer: Producer, out: Output) -> None:
    """Write one record and try until the broker has it: it must not be lost.

    Raises:
        PermanentError: the broker will never take it.
    """
    await retried(lambda: producer.send(out), bounds=None)


@dataclass(frozen=True, slots=True)
class Handled:
    """What a stage makes of one event: its outputs, and facts for the log line.

    `confirmed` is called once the broker has all outputs; it neither blocks nor raises.
    """

    outputs: tuple[Output, ...]
    facts: tuple[tuple[str, object], ...] = ()
    confirmed: Callable[[], None] = lambda: None


Handler = Callable[[Record], Awaitable[Handled]]


class LedgerStage:
    """One stage in ledger mode: at-least-once, with deterministic outputs."""

    def __init__(
        self,
        name: str,
        handler: Handler,
        producer: Producer,
        dead_letters: DeadLetters,
        committer: Committer,
        *,
        in_flight: int,
        retries: RetryBounds,
        guard: Guard,
        log: EventLog,
    ) -> None:
        self.name = name
        self.ledger = Ledger[int]()  # The token is the offset.
        self._handler = handler
        self._producer = producer
        self._dead_letters = dead_letters
        self._committer = committer
        self._epoch = 0  # Rises with every revoke.
        self._slots = asyncio.Semaphore(in_flight)
        self._retries = retries
        self._guard = guard
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()
        self._handling: dict[asyncio.Task[Any], Entry[int]] = {}

    async def admit(self, record: Record) -> None:
        """Take an event on; waiting while all slots are in use is the back-pressure."""
        epoch = self._epoch
        await self._slots.acquire()
        if epoch != self._epoch:  # Revoked while it waited: its new owner does it.
            self._slots.release()
            return
        partition = (record.topic, record.partition)
        entry = self.ledger.add(partition, record.offset, record.offset)
        task = asyncio.create_task(self._run(record, entry))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def drain(self, timeout_s: float) -> int:
        """Wait for the work in flight, then give the rest up uncommitted.

        Returns:
            How many events were given up; their next owner does them again.
        """
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)
        given_up = self.ledger.forget(self.ledger.partitions)
        await self._stop_forgotten()
        return given_up

    async def revoke(self, partitions: Iterable[TopicPartition]) -> None:
        """Give up what is in flight on partitions that are no longer ours."""
        self._epoch += 1
        self.ledger.forget(partitions)
        await self._stop_forgotten()

    def alive(self, *, lasting: bool = False) -> None:
        """Note that long work on an event moves on; its handler calls it in its task.

        A watchdog ends the worker over work that does not. `lasting` work outlives the
        process: an event that does some each time is no crash loop, whoever kills us.
        """
        task = asyncio.current_task()
        if task is None or task not in self._handling:
            return
        entry = self._handling[task]
        self.ledger.alive(entry)
        if lasting:
            self._guard.clear(Place(*entry.partition, entry.offset))

    @property
    def depth(self) -> int:
        """How many events are in flight."""
        return self.ledger.depth

    def head_age_s(self) -> float:
        """Seconds that the oldest unfinished head has waited."""
        return self.ledger.head_age_s()

    async def _stop_forgotten(self) -> None:
        """Cancel handlers at work on what is ours no more; not what is being written.

        Hours of sound would go on being heard here while their new owner hears them.
        """
        late = [task for task, entry in self._handling.items() if entry.forgotten]
        for task in late:
            task.cancel()
        if late:
            self._log.note("work_given_up", stage=self.name, events=len(late))
            await asyncio.wait(late, timeout=CANCEL_S)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._slots.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.fatal(self.name, error)

    async def _run(self, record: Record, entry: Entry[int]) -> None:
        async with self._guard.watch([record]):
            await self._settle(record, entry)
        if finished := self.ledger.done(entry):
            self._committer.note(entry.partition, finished[-1] + 1)

    async def _settle(self, record: Record, entry: Entry[int]) -> None:
        """See the event to its end: outputs confirmed, or its dead letter."""
        line = self._log.begin(self.name, record)
        try:
            self._guard.refuse(record)
            handled, attempts = await self._handled(record, entry)
            await self._write(handled.outputs)
            handled.confirmed()
            self._dead_letters.note_success()
            line.finish(attempts=attempts, **dict(handled.facts))
        except PermanentError as error:
            await self._bury(record, error, line)
        except Exception as error:  # A defect of ours must not lose the event either.
            failure = PermanentError("internal_error", f"{type(error).__name__}")
            await self._bury(record, failure, line, defect=error)

    async def _handled(self, record: Record, entry: Entry[int]) -> tuple[Handled, int]:
        task = asyncio.current_task()
        assert task is not None
        self._handling[task] = entry
        try:
            return await retried(lambda: self._handler(record), self._retries)
        finally:
            del self._handling[task]

    async def _write(self, outputs: Iterable[Output]) -> None:
        """Write one after another: a provisional word goes before the final one."""
        for output in outputs:
            await write_confirmed(self._producer, output)

    async def _bury(
        self,
        record: Record,
        error: PermanentError,
        line: EventLine,
        defect: Exception | None = None,
    ) -> None:
        letter = self._dead_letters.letter(record, error, error.attempts)
        await write_confirmed(self._producer, letter)
        line.dead_letter(error, defect)
        self._dead_letters.note_burial(error)
