import pytest

from schemas.ids import CommittedIds, committed_schemas
from schemas.records import ContentIngested, RiskDecision
from schemas.topics import (
    BRAKE_STATE,
    DECISION,
    HISTORY,
    INGESTED,
    INGESTED_BULK,
    SIGNALS,
    TOPICS,
    dead_letter_topic,
    topic_named,
    topics_of,
)


@pytest.mark.parametrize("name", [t.name for t in TOPICS if t.name.endswith(".dlq")])
def test_a_dead_letter_fits_beside_its_source(name: str) -> None:
    """Same partitions and key as the source, and room for its largest value."""
    letters, source = topic_named(name), topic_named(name.removesuffix(".dlq"))

    assert letters.partitions == source.partitions
    assert letters.key == source.key
    assert letters.max_message_bytes > source.max_message_bytes
    assert letters.subject is None


def test_histories_stand_where_signals_do() -> None:
    """Partition n of the changelog belongs to partition n of the signals."""
    assert (HISTORY.partitions, HISTORY.key) == (SIGNALS.partitions, SIGNALS.key)
    assert HISTORY.config["cleanup.policy"] == "compact"
    assert "retention.ms" not in HISTORY.config
    assert BRAKE_STATE.partitions == SIGNALS.partitions
    assert BRAKE_STATE.config["cleanup.policy"] == "compact"


def test_every_subject_has_a_committed_id() -> None:
    """No topic without a schema and no schema without a topic."""
    subjects = {topic.subject for topic in TOPICS if topic.subject}

    assert {schema.subject for schema in committed_schemas()} == subjects
    assert {CommittedIds().id_for(subject) for subject in subjects} == {*range(1, 9)}


def test_names_are_safe_for_kafka() -> None:
    """Dots but no underscores: Kafka's metrics mix the two up."""
    assert all("_" not in topic.name for topic in TOPICS)
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)


def test_a_record_knows_its_topics() -> None:
    """The first is the one whose subject names the record's id."""
    assert topics_of(RiskDecision)[0] is DECISION
    assert topics_of(ContentIngested) == (INGESTED, INGESTED_BULK)


def test_an_unknown_topic_lists_the_known() -> None:
    """Whoever mistypes a name sees the right ones."""
    with pytest.raises(KeyError, match=r"content\.signals\.v1\.dlq"):
        topic_named(dead_letter_topic("nothing"))


def test_a_bulk_lane_takes_its_main_lanes_records() -> None:
    """They are moved as they are: same record, same key, room for the same bytes."""
    for bulk in (t for t in TOPICS if t.name.endswith(".bulk.v1")):
        main = topic_named(bulk.name.replace(".bulk", ""))
        assert (bulk.record, bulk.key) == (main.record, main.key)
        assert bulk.max_message_bytes == main.max_message_bytes
        assert bulk.retention_ms == main.retention_ms
