"""What Headgate needs of a broker, held by the embedded one and by Apache Kafka."""

import asyncio
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiokafka
import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from streams.cluster import cluster_of, is_embedded
from streams.errors import PermanentError, StartError
from streams.kafka_tail import tail
from streams.messages import Output, Record
from streams.producer import DeliveringProducer
from streams.topic_admin import apply_topics

PARTITIONS = 4  # What the embedded broker gives every topic.


@dataclass(frozen=True)
class Row:
    """As much of a row of schemas.topics as creating a topic needs."""

    name: str = field(default_factory=lambda: f"t-{uuid.uuid4().hex[:8]}")
    partitions: int = PARTITIONS
    config: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def topic(bootstrap: str) -> str:
    """Return the name of a fresh topic."""
    row = Row()
    apply_topics(bootstrap, [row])
    return row.name


def produce(bootstrap: str, *outputs: Output) -> None:
    """Write and wait."""
    producer = DeliveringProducer(bootstrap)
    producer.send_all(outputs)
    producer.close()


def keyed(topic: str, count: int) -> list[Output]:
    """Build records with a key and a value each of their own."""
    return [Output(topic, f"key-{n}".encode(), b"%d" % n) for n in range(count)]


def everything(bootstrap: str, topic: str, **options: Any) -> list[Record]:
    """Read what is there now."""
    return list(tail(bootstrap, [topic], until_end=True, **options))


def test_records_come_back_as_they_were_sent(bootstrap: str, topic: str) -> None:
    """Key, value, headers, tombstones and the chosen partition survive the trip."""
    full = Output(topic, b"k", b"\x00\xff", (("a", b"1"), ("a", b"2")), partition=3)
    tombstone = Output(topic, b"k", None, partition=3)

    produce(bootstrap, full, tombstone)

    first, second = everything(bootstrap, topic)
    assert (first.key, first.value, first.headers) == (
        full.key,
        b"\x00\xff",
        full.headers,
    )
    assert (first.partition, first.offset, second.offset) == (3, 0, 1)
    assert second.value is None


def test_keys_lie_where_faust_looks_for_them(bootstrap: str, topic: str) -> None:
    """Our producer and aiokafka, which Faust uses, choose the same partitions."""
    outputs = keyed(topic, 200)

    async def with_aiokafka() -> dict[bytes, int]:
        async with aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
            sent = [await producer.send(topic, b"", key=o.key) for o in outputs]
            return {
                output.key or b"": (await done).partition
                for output, done in zip(outputs, sent, strict=True)
            }

    theirs = asyncio.run(with_aiokafka())
    produce(bootstrap, *outputs)

    ours = {r.key: r.partition for r in everything(bootstrap, topic) if r.value}
    assert ours == theirs
    assert len(set(ours.values())) == PARTITIONS


def test_ten_thousand_sends_are_each_confirmed(bootstrap: str, topic: str) -> None:
    """Concurrent sends from an event loop all return and are all there, once."""

    async def send() -> None:
        producer = DeliveringProducer(bootstrap)
        await asyncio.gather(*(producer.send(o) for o in keyed(topic, 10_000)))
        await asyncio.to_thread(producer.close)

    asyncio.run(send())

    values = {record.value for record in everything(bootstrap, topic)}
    assert len(values) == 10_000


def test_a_record_over_the_limit_is_a_permanent_error(
    bootstrap: str, topic: str
) -> None:
    """What is too large for the producer's own limit is refused by name, at once."""
    producer = DeliveringProducer(bootstrap, message_max_bytes=2000)

    with pytest.raises(PermanentError) as caught:
        asyncio.run(producer.send(Output(topic, b"k", b"x" * 3000)))

    producer.close()
    assert caught.value.code == "message_too_large"


GROUP_MEMBER = """
import asyncio, sys, aiokafka
async def main(bootstrap, topic, group):
    consumer = aiokafka.AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id=group,
        auto_offset_reset="earliest", enable_auto_commit=False)
    async with consumer:
        seen = 0
        while seen < 20:
            got = await consumer.getmany(timeout_ms=500)
            seen += sum(map(len, got.values()))
        await consumer.commit()
asyncio.run(main(*sys.argv[1:]))
"""


def test_another_process_reads_in_a_group_and_commits(
    bootstrap: str, topic: str
) -> None:
    """A consumer group of aiokafka in another process works, and its offsets stay."""
    produce(bootstrap, *keyed(topic, 20))
    group = f"g-{uuid.uuid4().hex[:8]}"

    command = [sys.executable, "-c", GROUP_MEMBER, bootstrap, topic, group]
    subprocess.run(command, check=True, timeout=60)

    assert sum(committed(bootstrap, topic, group)) == 20


def committed(bootstrap: str, topic: str, group: str) -> list[int]:
    """Return a group's committed offsets, 0 where there is none."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    asked = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    offsets = [p.offset for p in reader.committed(asked, timeout=10)]
    reader.close()
    return [max(offset, 0) for offset in offsets]


def test_tail_begins_at_a_time(bootstrap: str, topic: str) -> None:
    """From a time on, only records at or after it come, scan or look-up alike."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    writer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    for hour in range(6):
        at = start + timedelta(hours=hour)
        writer.produce(
            topic, b"%d" % hour, partition=1, timestamp=int(at.timestamp() * 1000)
        )
    writer.flush(10)

    found = everything(bootstrap, topic, start=start + timedelta(hours=4))
    later = everything(bootstrap, topic, start=start + timedelta(days=1))

    assert [record.value for record in found] == [b"4", b"5"]
    assert later == []


def test_tail_begins_at_an_offset_and_at_the_end(bootstrap: str, topic: str) -> None:
    """An offset counts in every partition; the end has nothing yet."""
    produce(bootstrap, *(Output(topic, None, b"%d" % n, partition=0) for n in range(5)))

    assert [r.value for r in everything(bootstrap, topic, start=3)] == [b"3", b"4"]
    assert everything(bootstrap, topic, start="end") == []


def test_tail_follows_until_told_to_stop(bootstrap: str, topic: str) -> None:
    """New records keep coming until `stop_when` says enough, also in silence."""
    produce(bootstrap, *keyed(topic, 3))
    seen: list[Record] = []

    for record in tail(bootstrap, [topic], stop_when=lambda: len(seen) == 6):
        seen.append(record)
        if len(seen) == 3:
            produce(bootstrap, *keyed(topic, 3))

    assert len(seen) == 6


def test_tail_names_a_topic_that_is_not_there(bootstrap: str) -> None:
    """A misspelt topic is an error that says what to do, not endless silence."""
    with pytest.raises(StartError, match=r"topic no-such does not exist.*topics apply"):
        next(tail(bootstrap, ["no-such"]))


def test_transactions_hide_what_was_aborted(bootstrap: str, topic: str) -> None:
    """On Kafka aborted records stay unseen; the embedded broker shows them."""
    writer = transactional(bootstrap, topic)
    writer.begin_transaction()
    writer.produce(topic, b"aborted", partition=0)
    writer.flush()
    writer.abort_transaction(10)
    writer.begin_transaction()
    writer.produce(topic, b"committed", partition=0)
    writer.commit_transaction(10)

    values = [record.value for record in everything(bootstrap, topic)]

    hidden = [] if real(bootstrap) else [b"aborted"]
    assert values == [*hidden, b"committed"]


def test_transactions_fence_the_previous_owner(bootstrap: str, topic: str) -> None:
    """On Kafka a second producer of the same id ends the first; not when embedded."""
    first = transactional(bootstrap, topic)
    transactional(bootstrap, topic)

    try:
        first.begin_transaction()
        first.produce(topic, b"late", partition=0)
        first.commit_transaction(10)
        fenced = False
    except KafkaException:
        fenced = True

    assert fenced == real(bootstrap)


def test_transactions_move_offsets(bootstrap: str, topic: str) -> None:
    """On Kafka aiokafka's transaction commits a group's offsets; not when embedded."""
    group = f"g-{uuid.uuid4().hex[:8]}"

    async def judge() -> None:
        producer = aiokafka.AIOKafkaProducer(
            bootstrap_servers=bootstrap, transactional_id=group
        )
        async with producer, producer.transaction():
            await producer.send_and_wait(topic, b"decision", partition=0)
            await producer.send_offsets_to_transaction(
                {aiokafka.TopicPartition(topic, 1): 7}, group
            )

    asyncio.run(judge())

    assert sum(committed(bootstrap, topic, group)) == (7 if real(bootstrap) else 0)


def transactional(bootstrap: str, transactional_id: str) -> Producer:
    """Start a transactional producer of librdkafka."""
    writer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": transactional_id,
            "log_level": 0,  # Who is fenced may say so after the broker is gone.
        }
    )
    writer.init_transactions(30)
    return writer


def real(bootstrap: str) -> bool:
    """Tell Apache Kafka from the embedded broker."""
    client = Consumer({"bootstrap.servers": bootstrap, "group.id": "x"})
    embedded = is_embedded(cluster_of(client, bootstrap))
    client.close()
    return not embedded
