"""Reads all partitions of a topic from a time on, the oldest first; edge.

Without a consumer group: it disturbs nobody. What is behind is given in the order of
the records' times, so that a second reading is much like the first.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from streams.cluster import ANSWER_S, cluster_of
from streams.errors import HeadgateError, TransientError
from streams.kafka_access import Kafka, KafkaAccess, as_access
from streams.kafka_tail import at_time, reader_config, record_of
from streams.messages import Record
from streams.record_fetcher import RecordFetcher

_CHUNK: Final = 200
_POLL_S: Final = 0.05
_MOST_AHEAD: Final = 400  # Records that a partition may be ahead of the slowest.


class TopicReader:
    """A place in every partition of a topic."""

    def __init__(
        self, kafka: Kafka, topic: str, since: datetime, most_records: int
    ) -> None:
        """Open it; blocks.

        Args:
            kafka: how to reach the broker.
            topic: what is read.
            since: records before it are left out.
            most_records: about so many are read of what is there already; the newest.

        Raises:
            StartError: the broker does not answer.
            TransientError: it refuses, or the topic does not exist.
        """
        self._topic = topic
        config = reader_config(as_access(kafka), "headgate-sweep")
        self._consumer = Consumer(config)
        self._fetcher = RecordFetcher(config, topic)
        self._ended: set[int] = set()
        self._paused: set[int] = set()
        try:
            starts = self._begin(as_access(kafka), since, most_records)
        except HeadgateError:
            self.close()
            raise
        self._waiting: dict[int, deque[Record]] = {p.partition: deque() for p in starts}

    @property
    def at_end(self) -> bool:
        """Whether everything that was there at the start was given."""
        done = len(self._ended) == len(self._waiting)
        return done and not any(self._waiting.values())

    def read(self) -> Iterator[Record]:
        """Yield what has come, a few hundred records at most; blocks for 50 ms.

        Raises:
            TransientError: reading failed; the place is lost.
        """
        with self._errors():
            for message in self._consumer.consume(_CHUNK, _POLL_S):
                self._take(message)
            self._hold_back()
        yield from self._in_order()

    def fetch(self, partition: int, offset: int) -> Record | None:
        """Return the record at an offset; None if it is gone. Blocks.

        Raises:
            TransientError: the broker does not answer.
        """
        with self._errors():
            return self._fetcher.fetch(partition, offset)

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()
        self._fetcher.close()

    def _begin(
        self, access: KafkaAccess, since: datetime, most_records: int
    ) -> list[Any]:
        """Assign every partition, and return where each begins."""
        with self._errors():
            known = cluster_of(self._consumer, access).topics
            if self._topic not in known:
                raise TransientError(f"{self._topic} does not exist yet")
            partitions = known[self._topic].partitions
            since_ms = int(since.timestamp() * 1000)
            most = most_records // max(1, len(partitions))
            starts = [self._start(number, since_ms, most) for number in partitions]
            self._consumer.assign(starts)
        return starts

    def _start(self, partition: int, since_ms: int, most: int) -> Any:
        place = TopicPartition(self._topic, partition)
        low, high = self._consumer.get_watermark_offsets(place, ANSWER_S)
        start = at_time(self._consumer, self._topic, partition, since_ms)
        return TopicPartition(
            self._topic, partition, max(low, start.offset, high - most)
        )

    def _take(self, message: Any) -> None:
        error = message.error()
        if error is None:
            self._waiting[message.partition()].append(record_of(message))
        elif error.code() == KafkaError._PARTITION_EOF:
            self._ended.add(message.partition())
        elif not error.retriable():
            raise TransientError(f"reading {self._topic} failed: {error.str()}")

    def _in_order(self) -> Iterator[Record]:
        """Yield the oldest while every partition behind has one to compare."""
        while True:
            behind = set(self._waiting) - self._ended
            if any(not self._waiting[partition] for partition in behind):
                return
            heads = [held[0] for held in self._waiting.values() if held]
            if not heads:
                return
            first = min(heads, key=lambda r: (r.timestamp_ms, r.partition))
            yield self._waiting[first.partition].popleft()

    def _hold_back(self) -> None:
        """Pause partitions that are far ahead, and let them on again."""
        full = {p for p, held in self._waiting.items() if len(held) > _MOST_AHEAD}
        behind = set(self._waiting) - self._ended
        if not any(not self._waiting[partition] for partition in behind):
            full = set()  # All have something: they move on together.
        if full - self._paused:
            self._consumer.pause(self._places(full - self._paused))
        if self._paused - full:
            self._consumer.resume(self._places(self._paused - full))
        self._paused = full

    def _places(self, partitions: set[int]) -> list[Any]:
        return [TopicPartition(self._topic, number) for number in sorted(partitions)]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            why = error.args[0].str()
            raise TransientError(f"{self._topic} can't be read: {why}") from error
