"""Facts about making topics on a real Apache Kafka."""

import uuid
from dataclasses import dataclass, field

import pytest

from schemas.topics import HISTORY, SIGNALS, TOPICS
from streams.errors import StartError
from streams.topic_admin import apply_topics

pytestmark = pytest.mark.kafka


@dataclass(frozen=True)
class Row:
    """As much of a row of schemas.topics as creating a topic needs."""

    name: str
    partitions: int = 2
    config: dict[str, str] = field(default_factory=dict)


def test_all_topics_are_created_once(kafka_bootstrap: str) -> None:
    """Every row of the table is taken by Kafka; a second run finds nothing to do."""
    apply_topics(kafka_bootstrap, TOPICS)  # Another test may have been first.

    again = apply_topics(kafka_bootstrap, TOPICS)

    assert {report.state for report in again} == {"exists"}


def test_drift_is_told_and_not_changed(kafka_bootstrap: str) -> None:
    """An existing topic with other settings is reported, twice the same."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    (made,) = apply_topics(kafka_bootstrap, [Row(name, 2, SIGNALS.config)])
    changed = Row(name, 3, HISTORY.config)

    first, again = (apply_topics(kafka_bootstrap, [changed])[0] for _ in range(2))

    assert made.state == "created"
    assert first == again
    assert first.state == "differs"
    assert first.differences == (
        "partitions is 2, expected 3",
        "cleanup.policy is delete, expected compact",
    )


def test_partitions_can_be_overridden(kafka_bootstrap: str) -> None:
    """A partition count given by the caller wins over the table's."""
    row = Row(f"t-{uuid.uuid4().hex[:8]}", 2)

    apply_topics(kafka_bootstrap, [row], partitions=5)

    (report,) = apply_topics(kafka_bootstrap, [row])
    assert report.differences == ("partitions is 5, expected 2",)


def test_more_copies_than_brokers_is_refused_by_name(kafka_bootstrap: str) -> None:
    """Kafka's refusal becomes a sentence that names the topic and what to check."""
    name = f"t-{uuid.uuid4().hex[:8]}"

    with pytest.raises(StartError, match=rf"topic {name} could not.*--replication"):
        apply_topics(kafka_bootstrap, [Row(name)], replication=3)
