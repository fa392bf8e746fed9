"""Facts about the broker inside the process."""

import socket

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.cluster import is_embedded
from streams.embedded_broker import (
    MAX_RECORD_BYTES,
    PARTITIONS,
    EmbeddedBroker,
)
from streams.errors import StartError


def test_it_listens_on_loopback_only_and_only_while_open():
    """The address is 127.0.0.1, and refused once the context ends."""
    with EmbeddedBroker() as broker:
        host, port = broker.bootstrap_servers.split(":")
        socket.create_connection((host, int(port)), timeout=5).close()

    assert host == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def test_its_address_is_asked_for_too_early():
    """A broker that isn't running has no address, and says how to run it."""
    with pytest.raises(StartError, match="with EmbeddedBroker"):
        _ = EmbeddedBroker().bootstrap_servers


def test_ensured_topics_are_there_for_other_clients():
    """Another client sees the topics, each with 4 partitions, and knows the cluster."""
    with EmbeddedBroker() as broker:
        broker.ensure_topics(["a.b.v1", "c-d"])
        seen = AdminClient({"bootstrap.servers": broker.bootstrap_servers}).list_topics(
            timeout=10
        )

    assert {n: len(t.partitions) for n, t in seen.topics.items()} == {
        "a.b.v1": PARTITIONS,
        "c-d": PARTITIONS,
    }
    assert is_embedded(seen)


def test_two_brokers_do_not_meet():
    """Each broker is a cluster of its own."""
    with EmbeddedBroker() as one, EmbeddedBroker() as other:
        one.ensure_topics(["only-here"])
        seen = AdminClient({"bootstrap.servers": other.bootstrap_servers})

        assert seen.list_topics(timeout=10).topics == {}


def kept_of_two(record_bytes):
    """Write two records to one partition; returns how many can be read."""
    with EmbeddedBroker() as broker:
        address = {"bootstrap.servers": broker.bootstrap_servers}
        producer = Producer(address | {"message.max.bytes": 9_000_000})
        errors = []
        for _ in range(2):
            producer.produce(
                "big",
                b"x" * record_bytes,
                partition=0,
                on_delivery=lambda error, message: errors.append(error),
            )
            producer.flush(10)
        reader = Consumer(address | {"group.id": "g"})
        low, high = reader.get_watermark_offsets(TopicPartition("big", 0), timeout=10)
        reader.close()
    assert errors == [None, None]
    return high - low


def test_records_up_to_its_limit_are_delivered():
    """Two records of the limit fit a partition together."""
    assert kept_of_two(MAX_RECORD_BYTES) == 2


def test_records_over_its_limit_are_confirmed_and_lost():
    """Why callers must hold the limit: past it confirmed records vanish."""
    assert kept_of_two(MAX_RECORD_BYTES + 200_000) == 0
