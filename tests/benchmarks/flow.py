"""Uploads into one topic, decisions out of another, timed by the records' own times."""

from collections.abc import Mapping, Sequence
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.records import ContentIngested
from schemas.topics import DECISION, INGESTED
from streams.producer import DeliveringProducer
from tests.benchmarks.table import percentile
from tests.benchmarks.uploads import output

GIVEN_UP_S = 90.0  # Without a single decision: something is broken, not slow.

LEADER_S = 30.0  # A new partition's first election, on a busy machine.


class Decisions:
    """Sees each committed record of a topic from now on, as a subscriber does."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer: Any = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "bench",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
                "log_level": 2,  # The broker goes away at the end; that is no news.
            }
        )
        places = _places(self._consumer, topic)
        for place in places:  # A number, for "the end" is looked up later.
            place.offset = _end_of(self._consumer, place)
        self._consumer.assign(places)

    def next(self, wait_s: float = 0.2) -> Any:
        """Return the next message, or None after `wait_s` of silence.

        Raises:
            RuntimeError: the topic can't be read.
        """
        message = self._consumer.poll(wait_s)
        if message is not None and message.error() is not None:
            raise RuntimeError(f"reading decisions failed: {message.error().str()}")
        return message

    def of(self, keys: set[bytes]) -> dict[bytes, int]:
        """Wait for the decisions on these contents: when each was written, in ms.

        Raises:
            TimeoutError: none came for `GIVEN_UP_S`.
        """
        found: dict[bytes, int] = {}
        since_s = monotonic()
        while len(found) < len(keys):
            message = self.next()
            if message is not None and message.key() in keys:
                found.setdefault(message.key(), message.timestamp()[1])
                since_s = monotonic()
            elif monotonic() - since_s > GIVEN_UP_S:
                raise TimeoutError(f"{len(found)} of {len(keys)} uploads were decided")
        return found

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()


class Flow:
    """One way through a broker: what is sent to `source` is decided in `sink`."""

    def __init__(
        self, bootstrap: str, source: str = INGESTED.name, sink: str = DECISION.name
    ) -> None:
        self.bootstrap, self.source = bootstrap, source
        self._producer = DeliveringProducer(bootstrap)
        self._decisions = Decisions(bootstrap, sink)

    def decide(
        self, uploads: Sequence[ContentIngested], partitions: int | None = None
    ) -> Mapping[bytes, int]:
        """Send all at once and return when each was decided, in ms.

        With `partitions` they are dealt out evenly, else their keys choose.
        """
        records = [
            output(self.source, upload, n % partitions if partitions else None)
            for n, upload in enumerate(uploads)
        ]
        self._producer.send_all(records)
        return self._decisions.of({upload.content_id.encode() for upload in uploads})

    def per_s(
        self, uploads: Sequence[ContentIngested], partitions: int | None = None
    ) -> float:
        """Return how many uploads are decided a second, once they flow."""
        return steady_per_s(list(self.decide(uploads, partitions).values()))

    def close(self) -> None:
        """Close both ends."""
        self._producer.close()
        self._decisions.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def steady_per_s(times_ms: Sequence[int]) -> float:
    """Return the rate between the 10th and the 90th percentile of times.

    Before, the first batch gathers; after, the last ones are not full. Who decides in
    bursts is counted from the end of one to the end of another.
    """
    first_ms, last_ms = percentile(times_ms, 0.1), percentile(times_ms, 0.9)
    between = sum(first_ms < time_ms <= last_ms for time_ms in times_ms)
    if not between:  # All in one burst, as in the quick run: a rough figure.
        return len(times_ms) * 1000 / max(1, max(times_ms) - min(times_ms))
    return between * 1000 / (last_ms - first_ms)


def _places(consumer: Any, topic: str) -> list[TopicPartition]:
    """Return a topic's partitions; one just made shows none for a moment."""
    until_s = monotonic() + LEADER_S
    while monotonic() < until_s:
        found = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        if found:
            return [TopicPartition(topic, number) for number in found]
        sleep(0.1)
    raise RuntimeError(f"{topic} has no partitions after {LEADER_S:g} s")


def _end_of(consumer: Any, place: TopicPartition) -> int:
    """Return where a partition ends; one just made has no leader for a moment."""
    until_s = monotonic() + LEADER_S
    while True:
        try:
            return int(consumer.get_watermark_offsets(place, timeout=10)[1])
        except KafkaException:
            if monotonic() > until_s:
                raise
            sleep(0.1)
