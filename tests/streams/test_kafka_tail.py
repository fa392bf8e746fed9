"""Facts about reading topics without a group; tests/integration has the rest."""

import time
from collections.abc import Iterator

import pytest

from streams.embedded_broker import EmbeddedBroker
from streams.errors import StartError
from streams.kafka_broker import free_port
from streams.kafka_tail import tail
from streams.messages import Output
from streams.producer import DeliveringProducer


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Return a broker with ten records each in topics `a` and `b`."""
    with EmbeddedBroker() as broker:
        producer = DeliveringProducer(broker.bootstrap_servers)
        producer.send_all(Output(t, b"%d" % n, b"v") for t in "ab" for n in range(10))
        producer.close()
        yield broker.bootstrap_servers


def test_several_topics_are_read_to_their_end(address):
    """All partitions of all topics are read; the end is the end of each."""
    records = list(tail(address, ["a", "b"], until_end=True))

    assert [sum(r.topic == t for r in records) for t in "ab"] == [10, 10]
    assert len({(r.topic, r.partition, r.offset) for r in records}) == 20


def test_silence_ends_it_when_asked(address):
    """After `idle_timeout_s` without a record reading stops."""
    began = time.monotonic()

    records = list(tail(address, ["a"], idle_timeout_s=0.5))

    assert len(records) == 10
    assert time.monotonic() - began < 10


def test_it_can_be_left_at_any_record(address):
    """Closing the generator closes the consumer; a second reader sees it all again."""
    reading = tail(address, ["a"])
    next(reading)
    reading.close()

    assert len(list(tail(address, ["a"], until_end=True))) == 10


def test_no_broker_is_one_clear_sentence(monkeypatch):
    """Nobody answering is a start error that names the address and what to do."""
    monkeypatch.setattr("streams.cluster.ANSWER_S", 0.3)
    address = f"127.0.0.1:{free_port()}"

    with pytest.raises(StartError, match=rf"{address}.*HEADGATE_BOOTSTRAP_SERVERS"):
        next(tail(address, ["a"]))
