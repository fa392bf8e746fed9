"""Facts about taking what has arrived, at the embedded broker."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from streams.embedded_broker import EmbeddedBroker
from streams.kafka_access import as_access
from streams.kafka_batch import arrived
from streams.kafka_tail import reader_config
from streams.messages import Output
from streams.producer import DeliveringProducer

LONG_S = 60.0  # A full batch never comes; who waits for it waits so long.


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Return a broker with ten records in topic `a`."""
    with EmbeddedBroker() as broker:
        producer = DeliveringProducer(broker.bootstrap_servers)
        producer.send_all(Output("a", b"k", b"%d" % n, partition=0) for n in range(10))
        producer.close()
        yield broker.bootstrap_servers


@pytest.fixture
def consumer(address) -> Iterator[Consumer]:
    """Return a consumer at the topic's beginning."""
    consumer = Consumer(reader_config(as_access(address), "test"))
    consumer.assign([TopicPartition("a", 0, 0)])
    yield consumer
    consumer.close()


def test_nobody_waits_for_a_full_batch(consumer):
    """Ten records and the partition's end are handed over when they are there."""
    began_s, values, ended = time.monotonic(), [], False

    while not ended:
        for message in arrived(consumer, 500, LONG_S):
            ended = ended or message.error() is not None
            values += [] if message.error() else [message.value()]

    assert message.error().code() == KafkaError._PARTITION_EOF
    assert values == [b"%d" % n for n in range(10)]
    assert time.monotonic() - began_s < LONG_S / 2


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_are_taken_than_asked_for(consumer, most):
    """However many there are; and none is left out."""
    values: list[bytes] = []

    while len(values) < 9:
        messages = arrived(consumer, most, LONG_S)
        assert 1 <= len(messages) <= most
        values += [message.value() for message in messages]

    assert values == [b"%d" % n for n in range(len(values))]


def test_nothing_there_is_nothing(consumer):
    """After the end it waits as long as it may, and gives nothing."""
    while not arrived(consumer, 500, LONG_S)[-1].error():
        pass

    assert arrived(consumer, 500, 0.01) == []
