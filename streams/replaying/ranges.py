"""Offsets of topics by time, and reading from one offset to another.

Outside any consumer group, with bounded buffers; nothing is committed.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, Literal

from aiokafka.partitioner import murmur2
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from streams.cluster import ANSWER_S, Muted, cluster_of, unseen
from streams.errors import StartError, TransientError
from streams.kafka_access import KafkaAccess
from streams.kafka_batch import arrived
from streams.kafka_causes import Complaints, refusal
from streams.kafka_tail import at_time, reader_config, record_of
from streams.messages import Record

GROUP = "headgate-tail-replay"  # Never joined; librdkafka wants a name.
BUFFER_KB = 16 * 1024  # Fetched ahead; librdkafka's default is four times that.
_CHUNK = 500
_POLL_S = 0.05
_FETCH_WAIT_MS = 20  # librdkafka's default is 500.
# No record and no end for this long: the broker is away.
SILENCE_S = 60.0

Bound = Literal["beginning", "end"] | int | datetime


@dataclass(frozen=True, slots=True)
class Range:
    """Part of a partition: offsets from `start` up to, not including, `end`."""

    topic: str
    partition: int
    start: int
    end: int
    low: int = 0  # Where the partition begins now; above 0 retention has cut it.

    @property
    def length(self) -> int:
        """How many offsets it spans; markers of transactions count too."""
        return max(0, self.end - self.start)


class Offsets:
    """Answers where times and ends lie, over one connection; a context manager."""

    def __init__(self, access: KafkaAccess) -> None:
        """Connect.

        Raises:
            StartError: the broker does not answer.
        """
        self._access, complaints, log = access, Complaints(), Muted()
        self._consumer: Any = Consumer(
            reader_config(access, GROUP)
            | {"error_cb": complaints, "logger": log.logger}
        )
        self._topics = cluster_of(self._consumer, access, complaints).topics

    def partitions(self, topic: str) -> list[int]:
        """Return the numbers of a topic's partitions.

        Raises:
            StartError: there is no such topic, or no right to see it.
        """
        if topic not in self._topics:
            raise unseen(self._consumer, self._access, topic)
        return sorted(self._topics[topic].partitions)

    def ends(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the first offset of a partition and the one after its last.

        Raises:
            StartError: the broker does not answer, or we may not read.
        """
        place = TopicPartition(topic, partition)
        try:
            low, high = self._consumer.get_watermark_offsets(place, timeout=ANSWER_S)
        except KafkaException as error:
            right = refusal(self._access, error.args[0], "Describe", topic)
            why = right or error.args[0].str()
            raise StartError(f"{topic}[{partition}] can't be read: {why}") from error
        return low, high

    def offset(self, topic: str, partition: int, bound: Bound) -> int:
        """Return a bound's offset, within what is there.

        Of a time it is the first record at or after it.

        Raises:
            StartError: this broker can't look up times.
        """
        low, high = self.ends(topic, partition)
        if isinstance(bound, datetime):
            bound = self._at(topic, partition, bound, low, high)
        if isinstance(bound, str):
            return low if bound == "beginning" else high
        return min(max(bound, low), high)

    def _at(
        self, topic: str, partition: int, when: datetime, low: int, high: int
    ) -> int:
        if low == high:
            return high
        since_ms = int(when.timestamp() * 1000)
        found: int = at_time(self._consumer, topic, partition, since_ms).offset
        if found == OFFSET_BEGINNING:
            raise StartError(
                "this broker can't look up times (the embedded one can't); give "
                "offsets, or `beginning` and `end`"
            )
        return found

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def __enter__(self) -> "Offsets":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def partition_of(key: str, partitions: int) -> int:
    """Return where a key lies, as Java's and our producers place it (murmur2)."""
    hashed: int = murmur2(key.encode())
    return (hashed & 0x7FFFFFFF) % partitions


def read_range(
    access: KafkaAccess, part: Range, keys: Collection[bytes] | None = None
) -> Iterator[Record]:
    """Yield the committed records of a range, with `keys` only those; blocks.

    Raises:
        TransientError: the broker went away, or we may not read.
    """
    if part.length == 0:
        return
    config = reader_config(access, GROUP) | {
        "queued.max.messages.kbytes": BUFFER_KB,
        "fetch.wait.max.ms": _FETCH_WAIT_MS,
    }
    consumer = Consumer(config)
    try:
        consumer.assign([TopicPartition(part.topic, part.partition, part.start)])
        for message in _messages(consumer, access, part):
            if message.offset() >= part.end:
                return
            if keys is None or message.key() in keys:
                yield record_of(message)
    finally:
        consumer.close()


def _messages(consumer: Any, access: KafkaAccess, part: Range) -> Iterator[Any]:
    heard_s = monotonic()
    while True:
        with _told(part):
            messages = arrived(consumer, _CHUNK, _POLL_S)
        if monotonic() - heard_s > SILENCE_S:
            raise TransientError(f"{part.topic}[{part.partition}] does not answer")
        for message in messages:
            error = message.error()
            if error is None:
                yield message
                heard_s = monotonic()  # Not before: the reader may have taken long.
            elif error.code() == KafkaError._PARTITION_EOF:
                return  # What is there now ends at or after the range.
            elif not error.retriable():
                right = refusal(access, error, "Read", part.topic)
                raise TransientError(
                    f"reading {part.topic}[{part.partition}] failed: "
                    f"{right or error.str()}"
                )


@contextmanager
def _told(part: Range) -> Iterator[None]:
    try:
        yield
    except KafkaException as error:
        why = error.args[0].str()
        raise TransientError(
            f"{part.topic}[{part.partition}] can't be read: {why}"
        ) from error
