"""The transactional outbox on a real Kafka: all or nothing, one owner."""

import asyncio
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka.errors import KafkaError
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.codec import Codec
from schemas.ids import CommittedIds
from streams.batch_judge import brake_output
from streams.brake_records import changed_records
from streams.brakes import Acting, BrakeState, brake
from streams.kafka_tail import tail
from streams.messages import Output
from streams.restoring import brake_reader, history_reader
from streams.retries import RetryBounds, retried
from streams.transactions import FencedError, TransactionalOutbox

pytestmark = pytest.mark.kafka


@pytest.fixture
def topics(kafka_bootstrap):
    """A fresh source, output and changelog topic."""
    names = [f"{kind}.{uuid.uuid4().hex[:8]}" for kind in ("source", "out", "history")]
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    for future in admin.create_topics([NewTopic(n, 2, 1) for n in names]).values():
        future.result(30)
    return names


def outbox(bootstrap, source, group="g"):
    """Return the outbox of the source's partition 1."""
    return TransactionalOutbox(
        (source, 1),
        kafka=bootstrap,
        group_id=group,
        max_message_bytes=1_000_000,
    )


async def opened(box):
    """Open as the judge does: a broker that has just started needs a moment."""
    position, _ = await retried(box.open, RetryBounds(20, 60))
    return position


def committed(bootstrap, source, group="g"):
    """Return the group's committed offset of partition 1."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    try:
        return consumer.committed([TopicPartition(source, 1)], timeout=20)[0].offset
    finally:
        consumer.close()


def values(bootstrap, topic):
    """Return what a read_committed reader sees."""
    return [record.value for record in tail(bootstrap, [topic], until_end=True)]


def test_outputs_histories_and_position_appear_together(kafka_bootstrap, topics):
    """After a commit all three are there, the history beside its partition."""
    source, out, history = topics

    async def scenario():
        box = outbox(kafka_bootstrap, source)
        assert await opened(box) == 0
        await box.commit(
            [Output(out, b"c", b"decision", (("h", b"1"),))],
            [Output(history, b"u", b"state", partition=1)],
            5,
        )
        await box.close()

    asyncio.run(scenario())
    assert values(kafka_bootstrap, out) == [b"decision"]
    assert committed(kafka_bootstrap, source) == 5
    assert history_reader(kafka_bootstrap, history)(1) == {"u": b"state"}
    assert history_reader(kafka_bootstrap, history)(0) == {}


def test_a_failed_transaction_leaves_nothing(kafka_bootstrap, topics):
    """When one record can't be written, none is seen and the position stays."""
    source, out, _ = topics

    async def scenario():
        box = outbox(kafka_bootstrap, source)
        await opened(box)
        with pytest.raises(Exception):  # noqa: B017, PT011 (what kind is aiokafka's)
            await box.commit(
                [Output(out, b"c", b"small"), Output(out, b"c", bytes(2_000_000))],
                [],
                5,
            )
        await box.close()

    asyncio.run(scenario())
    assert values(kafka_bootstrap, out) == []
    assert committed(kafka_bootstrap, source) < 0


def test_a_new_owner_fences_the_old_one(kafka_bootstrap, topics):
    """A worker that lost its partition can write no more, and the new one goes on."""
    source, out, _ = topics

    async def scenario():
        old, new = outbox(kafka_bootstrap, source), outbox(kafka_bootstrap, source)
        await opened(old)
        await old.commit([Output(out, b"c", b"old")], [], 1)
        assert await opened(new) == 1
        with pytest.raises(FencedError):
            await old.commit([Output(out, b"c", b"zombie")], [], 2)
        await new.commit([Output(out, b"c", b"new")], [], 2)
        await old.close()
        await new.close()

    asyncio.run(scenario())
    assert values(kafka_bootstrap, out) == [b"old", b"new"]


def test_an_owner_that_died_is_cleaned_up_after(kafka_bootstrap, topics):
    """What a killed worker had begun is aborted when the next one opens."""
    source, out, _ = topics

    async def scenario():
        dead, heir = outbox(kafka_bootstrap, source), outbox(kafka_bootstrap, source)
        await opened(dead)
        await dead._producer.begin_transaction()
        await dead._producer.send_and_wait(out, b"begun", key=b"c")
        assert await opened(heir) == 0
        await heir.commit([Output(out, b"c", b"done")], [], 1)
        await heir.close()
        with suppress(KafkaError):  # It is fenced; only its sockets are to be closed.
            await dead.close()

    asyncio.run(scenario())
    assert values(kafka_bootstrap, out) == [b"done"]


def test_the_next_owner_goes_on_from_the_brakes_that_were_committed(
    kafka_bootstrap, topics
):
    """What was aborted is not in them, nor is a rule that was forgotten."""
    source, _, brakes = topics
    noon, codec = datetime(2026, 11, 2, 12, tzinfo=UTC), Codec(CommittedIds())

    def outputs(before, after):
        return [
            replace(
                brake_output(1, key, None if count is None else codec.encode(count)),
                topic=brakes,
            )
            for key, count in changed_records(before, after).items()
        ]

    start = BrakeState()
    _, one = brake(start, [Acting("old"), Acting("r")], "u1", noon)
    _, two = brake(one, [Acting("r")], "u2", noon + timedelta(days=20))
    _, three = brake(two, [Acting("r")], "u3", noon + timedelta(days=40))
    _, lost = brake(three, [Acting("r")], "u4", noon + timedelta(days=40))

    async def scenario():
        box = outbox(kafka_bootstrap, source)
        await opened(box)
        for n, (before, after) in enumerate(((start, one), (one, two), (two, three))):
            await box.commit([], outputs(before, after), n + 1)
        # Too large, so its transaction fails as a whole.
        bad = Output(brakes, b"k", b"x" * 2_000_000, partition=1)
        with pytest.raises(Exception):  # noqa: B017, PT011 (what kind is aiokafka's)
            await box.commit([], [*outputs(three, lost), bad], 9)
        await box.close()

    asyncio.run(scenario())
    assert set(three.rules) == {"r"}
    assert brake_reader(kafka_bootstrap, codec, brakes)(1) == three
    assert brake_reader(kafka_bootstrap, codec, brakes)(0) == start
