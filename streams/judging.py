"""Runs `judge` over one source partition: in order, in micro-batches, with its state.

A partition's histories are read back from their changelog when its first event comes,
live in memory as encoded bytes, and are replaced only after the batch that changed
them was committed. So memory never runs ahead of the topics.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from streams.brakes import BrakeState
from streams.crash_guard import Guard
from streams.errors import TransientError
from streams.ledger import TopicPartition
from streams.messages import Output, Record
from streams.outbox import Outbox
from streams.retries import backoff_s
from streams.telemetry import EventLog
from streams.transactions import FencedError
from streams.turns import Turns

# Twice the longest usual session timeout: by then a rebalance has been heard of.
FENCED_GRACE_S = 120.0
Histories = dict[str, bytes]  # Uploader id to its encoded history.


@dataclass(slots=True)
class JudgedBatch:
    """What judging a batch gives: outputs in event order, and what changed."""

    outputs: list[Output] = field(default_factory=list)
    histories: Histories = field(default_factory=dict)
    brakes: BrakeState = field(default_factory=BrakeState)  # After the batch.
    # What changed in them, as records; None: a rule was forgotten.
    brake_values: dict[str, bytes | None] = field(default_factory=dict)
    finish: list[Callable[[], None]] = field(default_factory=list)  # Log lines.


class BatchJudge(Protocol):
    """Judges a batch of records; pure but for the log lines it prepares."""

    def __call__(
        self,
        records: Sequence[Record],
        histories: Mapping[str, bytes],
        brakes: BrakeState,
    ) -> JudgedBatch:
        """Return outputs and what changed; `histories` is only read."""


class PartitionJudge:
    """The one task that judges a partition's events."""

    def __init__(
        self,
        source: TopicPartition,
        *,
        outbox: Outbox,
        restore: Callable[[int], Histories],
        restore_brakes: Callable[[int], BrakeState],
        judge: BatchJudge,
        history_output: Callable[[int, str, bytes], Output],
        brake_output: Callable[[int, str, bytes | None], Output],
        release_slots: Callable[[int], None],
        batch_size: int,
        batch_wait_s: float,
        turns: Turns,
        guard: Guard,
        log: EventLog,
    ) -> None:
        self._source = source
        self._outbox = outbox
        self._restore = restore
        self._restore_brakes = restore_brakes
        self._judge = judge
        self._history_output = history_output
        self._brake_output = brake_output
        self._release_slots = release_slots
        self._batch_size = batch_size
        self._batch_wait_s = batch_wait_s
        self._turns = turns
        self._guard = guard
        self._log = log
        self._queue: asyncio.Queue[Record] = asyncio.Queue()
        self._moved_at_s = monotonic()
        self._held = 0  # Slots that events of this partition hold.
        self._histories: Histories = {}
        self._brakes = BrakeState()
        self._next_offset = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopped = False
        self._zombie: asyncio.TimerHandle | None = None
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._ended)

    def put(self, record: Record) -> None:
        """Queue an event; the caller holds a slot for it, which bounds the queue."""
        if self._stopped:
            self._release_slots(1)  # Fenced: the new owner judges it.
            return
        if not self._held:
            self._moved_at_s = monotonic()
        self._held += 1
        self._idle.clear()
        self._queue.put_nowait(record)

    @property
    def held(self) -> int:
        """How many events are queued or being judged."""
        return self._held

    def idle_for_s(self) -> float:
        """Return the seconds since it last got on with its work; 0 without any."""
        return monotonic() - self._moved_at_s if self._held else 0.0

    async def drain(self, timeout_s: float) -> None:
        """Wait until everything queued is committed, for at most `timeout_s`."""
        if self._task.done():
            return
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            return

    async def stop(self) -> None:
        """Stop; what is not committed stays for the next owner."""
        self._stopped = True
        if self._zombie is not None:
            self._zombie.cancel()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._outbox.close()

    async def _run(self) -> None:
        await self._open()
        while True:
            first = await self._queue.get()
            if self._queue.empty() and self._batch_wait_s:
                await asyncio.sleep(self._batch_wait_s)
            async with AsyncExitStack() as turn:
                await turn.enter_async_context(self._turns.take())
                batch = self._gather(first)  # What came while we waited goes along.
                for part in self._apart(batch):
                    async with self._guard.watch(part):
                        await self._commit_batch(part, turn.aclose)
            self._release(len(batch))
            if self._queue.empty():
                self._idle.set()

    async def _open(self) -> None:
        """Take over the partition and its histories, however long the broker needs."""
        attempt, started_s = 1, monotonic()
        while True:
            try:
                self._next_offset = await self._outbox.open()
                self._histories = await asyncio.to_thread(
                    self._restore, self._source[1]
                )
                self._brakes = await asyncio.to_thread(
                    self._restore_brakes, self._source[1]
                )
                break
            except TransientError as error:
                self._log.note(
                    "judge_open_retry", partition=self._source[1], reason=str(error)
                )
                await asyncio.sleep(backoff_s(attempt))
                attempt += 1
        self._log.note(
            "histories_restored",
            partition=self._source[1],
            uploaders=len(self._histories),
            next_offset=self._next_offset,
            seconds=round(monotonic() - started_s, 3),
        )

    def _gather(self, first: Record) -> list[Record]:
        batch = [first]
        while len(batch) < self._batch_size and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch

    def _apart(self, batch: Sequence[Record]) -> list[Sequence[Record]]:
        """Judge one by one where the process died at any of them before."""
        if any(map(self._guard.is_suspect, batch)):
            return [[record] for record in batch]
        return [batch]

    async def _commit_batch(
        self, batch: Sequence[Record], give_way: Callable[[], Awaitable[None]]
    ) -> None:
        """Judge and commit until the outcome is known to be committed.

        Gives way where that takes long: other partitions' brokers may be there.
        """
        while True:
            # What is below was committed already, by us or the previous owner.
            todo = [r for r in batch if r.offset >= self._next_offset]
            if not todo:
                return
            judged = await asyncio.to_thread(
                self._judge, todo, self._histories, self._brakes
            )
            try:
                await self._commit(todo, judged)
                return
            except TransientError as error:
                self._log.note(
                    "judge_commit_retry", partition=self._source[1], reason=str(error)
                )
                await give_way()
                await self._open()

    async def _commit(self, todo: Sequence[Record], judged: JudgedBatch) -> None:
        next_offset = todo[-1].offset + 1
        changed = [
            self._history_output(self._source[1], uploader_id, value)
            for uploader_id, value in judged.histories.items()
        ]
        changed += [
            self._brake_output(self._source[1], key, value)
            for key, value in judged.brake_values.items()
        ]
        await self._outbox.commit(judged.outputs, changed, next_offset)
        self._histories.update(judged.histories)
        self._brakes = judged.brakes
        self._next_offset = next_offset
        for finish in judged.finish:
            finish()

    def _release(self, slots: int) -> None:
        self._moved_at_s = monotonic()
        self._held -= slots
        self._release_slots(slots)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._idle.set()
        self._release(self._held)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, FencedError):
            self._stopped = True
            self._log.note("judge_fenced", partition=self._source[1])
            # A revoke must follow, for somebody else was given the partition. A
            # worker that never hears of it is a zombie and must go.
            loop = asyncio.get_running_loop()
            self._zombie = loop.call_later(
                FENCED_GRACE_S, self._log.fatal, "judge", error
            )
        elif error is not None:
            self._log.fatal("judge", error)
