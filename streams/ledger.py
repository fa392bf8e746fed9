"""Which events are finished, per partition and in offset order.

Faust acks an event whose agent raised, and its commit calculation passes over an
unfinished head when later events are acked (faust-streaming/faust#606). So nothing is
acked until everything before it is finished: the ledger holds every event in flight
and releases only the finished run at the head of its partition.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

Token = TypeVar("Token")
TopicPartition = tuple[str, int]


@dataclass(slots=True, eq=False)
class Entry(Generic[Token]):
    """One event in flight; `token` is what the owner acks once it is released."""

    partition: TopicPartition
    offset: int
    token: Token
    alive_at_s: float  # When it was added, or last showed that it moves on.
    done: bool = False
    forgotten: bool = False  # Its partition was revoked: a late result is dropped.


class Ledger(Generic[Token]):
    """Events in flight by partition; not thread-safe, it lives on the event loop."""

    def __init__(self, clock_s: Callable[[], float] = monotonic) -> None:
        self._clock_s = clock_s
        self._queues: dict[TopicPartition, deque[Entry[Token]]] = {}

    def add(self, partition: TopicPartition, offset: int, token: Token) -> Entry[Token]:
        """Register an event before any work on it begins.

        Raises:
            ValueError: `offset` is not above the partition's last one. Registering it
                would break the order that releases rely on.
        """
        queue = self._queues.setdefault(partition, deque())
        if queue and offset <= queue[-1].offset:
            raise ValueError(
                f"offset {offset} of {partition} was registered after "
                f"{queue[-1].offset}; expected rising offsets: forget the partition "
                "when it is revoked"
            )
        entry = Entry(partition, offset, token, self._clock_s())
        queue.append(entry)
        return entry

    def done(self, entry: Entry[Token]) -> list[Token]:
        """Mark an event finished and return the tokens to ack now, in offset order.

        Empty while an earlier event of the partition is unfinished, and for an event
        whose partition was forgotten.
        """
        entry.done = True
        if entry.forgotten:
            return []
        queue = self._queues[entry.partition]
        released = []
        while queue and queue[0].done:
            released.append(queue.popleft().token)
        return released

    def alive(self, entry: Entry[Token]) -> None:
        """Note that long work on an event moves on."""
        entry.alive_at_s = self._clock_s()

    def forget(self, partitions: Iterable[TopicPartition]) -> int:
        """Drop what is in flight on partitions that are no longer ours, unacked.

        Returns:
            How many unfinished events were dropped; their new owner does them again.
        """
        dropped = 0
        for partition in partitions:
            for entry in self._queues.pop(partition, ()):
                entry.forgotten = True
                dropped += not entry.done
        return dropped

    @property
    def depth(self) -> int:
        """How many events are held, finished ones behind the head included."""
        return sum(len(queue) for queue in self._queues.values())

    @property
    def partitions(self) -> tuple[TopicPartition, ...]:
        """Partitions with events in flight."""
        return tuple(p for p, queue in self._queues.items() if queue)

    def head_age_s(self) -> float:
        """Seconds that a head has waited, or not moved on; the worst, 0 when none.

        The best single number of a stage's health: it grows when something is stuck.
        """
        now_s = self._clock_s()
        heads = [now_s - q[0].alive_at_s for q in self._queues.values() if q]
        return max(heads, default=0.0)
