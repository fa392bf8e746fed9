"""The `judge` stage: one task for each partition it was given, made on first sight."""

import asyncio
from collections.abc import Callable, Iterable

from streams.judging import PartitionJudge
from streams.ledger import TopicPartition
from streams.messages import Record

# Makes the task of one partition; it gives slots back through the second argument.
MakePartition = Callable[[TopicPartition, Callable[[int], None]], PartitionJudge]


class JudgeStage:
    """Spreads events over their partitions' tasks; bounded by slots in all."""

    def __init__(self, make_partition: MakePartition, in_flight: int) -> None:
        self._make_partition = make_partition
        self._slots = asyncio.Semaphore(in_flight)
        self._partitions: dict[TopicPartition, PartitionJudge] = {}
        self._epoch = 0  # Rises with every revoke.

    async def admit(self, record: Record) -> None:
        """Queue an event; waiting while all slots are in use is the back-pressure."""
        epoch = self._epoch
        await self._slots.acquire()
        if epoch != self._epoch:  # Revoked while it waited: its new owner does it.
            self._slots.release()
            return
        source = (record.topic, record.partition)
        if source not in self._partitions:
            self._partitions[source] = self._make_partition(source, self._release)
        self._partitions[source].put(record)

    async def drain(self, timeout_s: float) -> int:
        """Wait until what is queued is committed; give up the rest."""
        partitions = self._partitions.values()
        await asyncio.gather(*(p.drain(timeout_s) for p in partitions))
        given_up = sum(p.held for p in partitions)
        await self.revoke(tuple(self._partitions))
        return given_up

    async def revoke(self, partitions: Iterable[TopicPartition]) -> None:
        """Stop the tasks of partitions that are no longer ours."""
        self._epoch += 1
        lost = [self._partitions.pop(p) for p in partitions if p in self._partitions]
        await asyncio.gather(*(partition.stop() for partition in lost))

    @property
    def depth(self) -> int:
        """How many events are queued or being judged."""
        return sum(partition.held for partition in self._partitions.values())

    def head_age_s(self) -> float:
        """Seconds since a partition with work last moved on; the worst of all."""
        ages = [partition.idle_for_s() for partition in self._partitions.values()]
        return max(ages, default=0.0)

    def _release(self, slots: int) -> None:
        for _ in range(slots):
            self._slots.release()
