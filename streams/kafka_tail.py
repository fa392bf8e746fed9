"""Read topics from a chosen place, without joining a group; edge, for tools and tests.

Nothing is committed and no one is disturbed: partitions are assigned, not subscribed.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Any, Literal

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from streams.cluster import ANSWER_S, Muted, cluster_of, unseen
from streams.errors import TransientError
from streams.kafka_access import Kafka, KafkaAccess, as_access
from streams.kafka_batch import arrived
from streams.kafka_causes import Complaints, refusal
from streams.ledger import TopicPartition as Partition
from streams.messages import Record

Start = Literal["beginning", "end"] | int | datetime | Mapping[Partition, int]

_POLL_S = 0.1  # How often `stop_when` is asked during silence.
_CHUNK = 500  # Records handed over per call; more gains nothing (20,000/s here).


def tail(
    kafka: Kafka,
    topics: Sequence[str],
    *,
    start: Start = "beginning",
    until_end: bool = False,
    stop_when: Callable[[], bool] | None = None,
    idle_timeout_s: float | None = None,
) -> Iterator[Record]:
    """Yield committed records of `topics` as they come; blocks; close it to stop early.

    Args:
        kafka: how to reach the broker; its addresses are enough without a login.
        topics: existing topics; order holds within a partition only.
        start: where to begin: an offset counts in every partition; of a time (aware)
            only records at or after it are yielded; of a map only its partitions.
        until_end: stop at what was the end when reading started.
        stop_when: asked between records and every 0.1 s of silence.
        idle_timeout_s: stop after this much silence.

    Raises:
        StartError: the broker does not answer, or a topic does not exist.
        TransientError: reading failed on the way.
    """
    access, complaints, log = as_access(kafka), Complaints(), Muted()
    # librdkafka wants a group's name even where none is joined.
    config = reader_config(access, f"headgate-tail-{uuid.uuid4()}")
    config |= {"fetch.wait.max.ms": 50}  # 500 by default: felt by who watches a demo.
    consumer = Consumer(config | {"error_cb": complaints, "logger": log.logger})
    try:
        partitions = _partitions(consumer, access, complaints, topics)
        if isinstance(start, Mapping):
            partitions = [place for place in partitions if place in start]
        log.muted = False
        consumer.assign(_placed(consumer, partitions, start))
        since_ms = _ms(start) if isinstance(start, datetime) else None
        for record in _follow(
            access, consumer, len(partitions), until_end, stop_when, idle_timeout_s
        ):
            if since_ms is None or record.timestamp_ms >= since_ms:
                yield record
    finally:
        consumer.close()


def reader_config(access: KafkaAccess, group_id: str) -> dict[str, Any]:
    """Return librdkafka's settings for reading assigned partitions."""
    return {
        **access.librdkafka(),
        "group.id": group_id,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",  # When retention has eaten the start.
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "log_level": 3,  # Errors: a broker that goes away is told nowhere else.
    }


def _partitions(
    consumer: Any, access: KafkaAccess, complaints: Complaints, topics: Sequence[str]
) -> list[Partition]:
    known = cluster_of(consumer, access, complaints).topics
    for topic in topics:
        if topic not in known:
            raise unseen(consumer, access, topic)
    return [(topic, number) for topic in topics for number in known[topic].partitions]


def _placed(consumer: Any, partitions: Sequence[Partition], start: Start) -> list[Any]:
    if isinstance(start, datetime):
        return [at_time(consumer, topic, p, _ms(start)) for topic, p in partitions]
    if isinstance(start, Mapping):
        return [TopicPartition(*place, start[place]) for place in partitions]
    named = {"beginning": OFFSET_BEGINNING, "end": OFFSET_END}
    offset = named[start] if isinstance(start, str) else start
    return [TopicPartition(topic, number, offset) for topic, number in partitions]


def at_time(consumer: Any, topic: str, partition: int, since_ms: int) -> Any:
    """Return where the records at or after a time begin; may be before it.

    After the last record that is where the next one goes, as it was before the broker
    was asked: what comes meanwhile is not missed.

    Raises:
        TransientError: the broker can't tell.
    """
    end = _end_of(consumer, topic, partition)
    found = _look_up(consumer, topic, partition, since_ms)
    if found.offset < 0 and _look_up(consumer, topic, partition, 0).offset < 0:
        # Not even the epoch has a record at or after it: the partition is empty or the
        # broker can't look up times (the embedded one). Scan; `tail` drops the rest.
        return TopicPartition(topic, partition, OFFSET_BEGINNING)
    return end if found.offset == OFFSET_END else found


def _end_of(consumer: Any, topic: str, partition: int) -> Any:
    place = TopicPartition(topic, partition)
    try:
        _, place.offset = consumer.get_watermark_offsets(place, timeout=ANSWER_S)
    except KafkaException as error:
        raise TransientError(
            f"{topic}[{partition}]: looking up its end failed: {error.args[0].str()}"
        ) from error
    return place


def _look_up(consumer: Any, topic: str, partition: int, time_ms: int) -> Any:
    asked = [TopicPartition(topic, partition, time_ms)]
    try:
        return consumer.offsets_for_times(asked, timeout=ANSWER_S)[0]
    except KafkaException as error:
        raise TransientError(
            f"{topic}[{partition}]: looking up a time failed: {error.args[0].str()}"
        ) from error


def _follow(
    access: KafkaAccess,
    consumer: Any,
    partitions: int,
    until_end: bool,
    stop_when: Callable[[], bool] | None,
    idle_timeout_s: float | None,
) -> Iterator[Record]:
    ended: set[Partition] = set()
    last_record = monotonic()
    while not (until_end and len(ended) == partitions):
        if idle_timeout_s is not None and monotonic() - last_record > idle_timeout_s:
            return
        for message in arrived(consumer, _CHUNK, _POLL_S):
            if stop_when is not None and stop_when():
                return
            if message.error() is None:
                last_record = monotonic()
                yield record_of(message)
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ended.add((message.topic(), message.partition()))
            elif not message.error().retriable():
                right = refusal(access, message.error(), "Read", message.topic())
                raise TransientError(
                    f"reading {message.topic()}[{message.partition()}] failed: "
                    f"{right or message.error().str()}"
                )
        if stop_when is not None and stop_when():
            return


def record_of(message: Any) -> Record:
    """Return a message of librdkafka's as a record."""
    _, timestamp_ms = message.timestamp()
    return Record(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        timestamp_ms=timestamp_ms,
        key=message.key(),
        value=message.value(),
        headers=tuple(message.headers() or ()),
    )


def _ms(when: datetime) -> int:
    return int(when.timestamp() * 1000)
