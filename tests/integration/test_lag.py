"""Facts about how far behind a group is said to be, on a real Kafka."""

import uuid

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.kafka_broker import free_port
from streams.lag import LagMeter
from streams.messages import Output
from streams.producer import DeliveringProducer


@pytest.mark.kafka
def test_lag_is_what_the_group_has_not_committed(kafka_bootstrap):
    """Each partition's own; all of it where the group has committed nothing."""
    topic, group = f"lag.{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    config = {"bootstrap.servers": kafka_bootstrap}
    admin = AdminClient(config)
    admin.create_topics([NewTopic(topic, 2)])[topic].result()
    producer = DeliveringProducer(kafka_bootstrap)
    producer.send_all(Output(topic, b"k", b"v", partition=n % 2) for n in range(20))
    producer.close()
    consumer = Consumer({**config, "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic, 0, 4)], asynchronous=False)
    consumer.close()

    meter = LagMeter(config, {group: [topic, "not.there"]})

    assert meter.answers()
    assert meter.measure() == {(group, topic, 0): 6, (group, topic, 1): 10}


def test_a_broker_that_is_away_does_not_answer(monkeypatch):
    """The watchdog asks before it ends a worker for being stuck."""
    monkeypatch.setattr("streams.lag.ANSWER_S", 0.5)
    meter = LagMeter({"bootstrap.servers": f"127.0.0.1:{free_port()}"}, {})

    assert not meter.answers()
