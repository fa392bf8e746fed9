"""Facts about making topics, on a broker that can't be told how."""

from dataclasses import dataclass, field

import pytest

from schemas.topics import TOPICS
from streams.embedded_broker import PARTITIONS, EmbeddedBroker
from streams.errors import StartError
from streams.kafka_broker import free_port
from streams.topic_admin import apply_topics


@dataclass(frozen=True)
class Row:
    """As much of a row of schemas.topics as creating a topic needs."""

    name: str
    partitions: int = 2
    config: dict[str, str] = field(default_factory=dict)


def test_the_embedded_broker_gets_every_topic_and_says_what_does_not_hold():
    """Topics are ensured by asking for them; lost settings are told, not hidden."""
    with EmbeddedBroker() as broker:
        first = apply_topics(broker.bootstrap_servers, TOPICS)
        again = apply_topics(broker.bootstrap_servers, TOPICS, partitions=PARTITIONS)

    assert [report.name for report in first] == [topic.name for topic in TOPICS]
    assert {report.state for report in first + again} == {"ensured"}
    assert first[0].differences[1] == "partitions is 4, expected 12"
    assert len(again[0].differences) == 1


def test_no_broker_is_one_clear_sentence(monkeypatch):
    """Nobody answering is a start error that names the address and what to do."""
    monkeypatch.setattr("streams.cluster.ANSWER_S", 0.3)
    address = f"127.0.0.1:{free_port()}"

    with pytest.raises(StartError, match=rf"{address}.*HEADGATE_BOOTSTRAP_SERVERS"):
        apply_topics(address, [Row("a")])
