"""One row per topic: key, record, partitions, retention, who writes and reads it.

Subjects follow Confluent's TopicNameStrategy: `<topic>-value`. Every producer on
librdkafka must set `partitioner=murmur2_random`, or keys land where Faust and Java do
not look for them.
"""

from dataclasses import dataclass
from typing import Literal, TypeVar

from schemas.records import (
    BankEntry,
    BrakeCount,
    ContentIngested,
    ContentSignals,
    PolicyActivation,
    RiskDecision,
    ShadowDecision,
    UploaderHistory,
)

Record = (
    ContentIngested
    | ContentSignals
    | RiskDecision
    | ShadowDecision
    | UploaderHistory
    | BankEntry
    | PolicyActivation
    | BrakeCount
)
R = TypeVar("R", bound=Record)  # Of whoever takes a record's type and gives one.
Key = Literal["any", "content_id", "uploader_id", "bank/entry_id", "sha256", "rule_id"]

# Room to spread over workers: partitions can be added later, but then keys move.
PARTITIONS = 12
DAY_MS = 24 * 60 * 60 * 1000
FOREVER_MS = -1
# Kafka's own default (message.max.bytes), so that any producer may write events.
EVENT_MAX_BYTES = 1024 * 1024
# A three-hour transcript with its embeddings, 1.5 KiB each, has to fit.
SIGNALS_MAX_BYTES = 8 * 1024 * 1024
# A dead letter is its original plus headers; twenty headers of ours take under 4 KiB.
DEAD_LETTER_HEADERS_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """What a topic is and how it is created."""

    name: str
    key: Key
    record: type[Record] | None  # None: a dead letter, whose value is the original's.
    doc: str
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    partitions: int = PARTITIONS
    retention_ms: int = FOREVER_MS
    cleanup: Literal["delete", "compact"] = "delete"
    max_message_bytes: int = EVENT_MAX_BYTES
    # Ours are read by older and newer workers side by side while a version rolls out.
    compatibility: Literal["FULL_TRANSITIVE", "BACKWARD_TRANSITIVE"] = "FULL_TRANSITIVE"

    @property
    def subject(self) -> str | None:
        """Where the registry keeps the value's schema; None for dead letters."""
        return None if self.record is None else f"{self.name}-value"

    @property
    def config(self) -> dict[str, str]:
        """Kafka's settings of the topic."""
        config = {
            "cleanup.policy": self.cleanup,
            "max.message.bytes": str(self.max_message_bytes),
        }
        if self.cleanup == "delete":
            config["retention.ms"] = str(self.retention_ms)
        return config


INGESTED = Topic(
    name="content.ingested.v1",
    key="any",
    record=ContentIngested,
    doc="Uploads as they arrive; CloudEvents headers or none.",
    written_by=("upload service", "headgate produce"),
    read_by=("screen", "replay"),
    retention_ms=7 * DAY_MS,
    # Producers upgrade after us, and replay reads all that was ever written.
    compatibility="BACKWARD_TRANSITIVE",
)
SCREENED = Topic(
    name="content.screened.v1",
    key="content_id",
    record=ContentSignals,
    doc="Uploads with the cheap signals, whose speech is still to be transcribed.",
    written_by=("screen",),
    read_by=("transcribe",),
    retention_ms=7 * DAY_MS,
    max_message_bytes=SIGNALS_MAX_BYTES,
)
INGESTED_BULK = Topic(
    name="content.ingested.bulk.v1",
    key="any",
    record=ContentIngested,
    doc="What one uploader sent beyond their rate: the same records, judged after.",
    written_by=("screen",),
    read_by=("screen",),
    retention_ms=INGESTED.retention_ms,
    compatibility=INGESTED.compatibility,
)
SCREENED_BULK = Topic(
    name="content.screened.bulk.v1",
    key="content_id",
    record=ContentSignals,
    doc="Long speech, and what came by the bulk lane: short speech does not wait.",
    written_by=("screen",),
    read_by=("transcribe",),
    retention_ms=SCREENED.retention_ms,
    max_message_bytes=SIGNALS_MAX_BYTES,
)
SIGNALS = Topic(
    name="content.signals.v1",
    key="uploader_id",
    record=ContentSignals,
    doc="Everything the models found; replay starts here, without GPU or media.",
    written_by=("screen", "transcribe", "judge"),  # `judge` what it finds later.
    read_by=("judge", "replay"),
    retention_ms=97 * DAY_MS,  # A week more than HEADGATE_SWEEP_DAYS.
    max_message_bytes=SIGNALS_MAX_BYTES,
)
DECISION = Topic(
    name="risk.decision.v1",
    key="content_id",
    record=RiskDecision,
    doc="Every decision, provisional and final.",
    written_by=("judge", "corrections"),
    read_by=("subscribers", "replay"),
    # Complaints about a decision may come for six months (DSA, article 20); doubled.
    retention_ms=365 * DAY_MS,
)
DECISION_CURRENT = Topic(
    name="risk.decision.current.v1",
    key="content_id",
    record=RiskDecision,
    doc="The latest decision on each content.",
    written_by=("judge", "corrections"),
    read_by=("subscribers",),
    cleanup="compact",
)
REVIEW_REQUESTED = Topic(
    name="review.requested.v1",
    key="content_id",
    record=RiskDecision,
    doc="Decisions that a person must look at.",
    written_by=("judge", "corrections"),
    read_by=("review service",),
    retention_ms=30 * DAY_MS,
)
DECISION_SHADOW = Topic(
    name="risk.decision.shadow.v1",
    key="content_id",
    record=ShadowDecision,
    doc="What candidate policies would have said; nothing acts on it.",
    written_by=("judge",),
    read_by=("operators",),
    retention_ms=30 * DAY_MS,
)
HISTORY = Topic(
    name="uploader.history.v1",
    key="uploader_id",
    record=UploaderHistory,
    doc="Changelog of the judge's state; partition n belongs to signals' partition n.",
    written_by=("judge",),
    read_by=("judge",),
    partitions=SIGNALS.partitions,
    cleanup="compact",
    max_message_bytes=SIGNALS_MAX_BYTES,
)
BRAKE_STATE = Topic(
    name="brake.state.v1",
    key="rule_id",
    record=BrakeCount,
    doc="Changelog of the brakes; partition n belongs to signals' partition n.",
    written_by=("judge",),
    read_by=("judge", "replay"),
    partitions=SIGNALS.partitions,
    cleanup="compact",
    # Of 4096 uploaders a rule counts, each with an id of up to 1 KiB.
    max_message_bytes=SIGNALS_MAX_BYTES,
)
BANK_ENTRY = Topic(
    name="bank.entry.v1",
    key="bank/entry_id",
    record=BankEntry,
    doc="Known hashes, bank by bank; a tombstone removes one.",
    written_by=("operators",),
    read_by=("screen", "judge"),
    partitions=1,  # Every worker reads all of it, and in one order.
    cleanup="compact",
)
POLICY_ACTIVE = Topic(
    name="policy.active.v1",
    key="sha256",
    record=PolicyActivation,
    doc="Policies with their files; the one activated last is in force.",
    written_by=("operators",),
    read_by=("judge", "replay"),
    partitions=1,  # Every worker reads it, and in one order.
    cleanup="compact",
    max_message_bytes=SIGNALS_MAX_BYTES,
)


def dead_letter_topic(source: str) -> str:
    """Name the topic of the dead letters of the topic `source`."""
    return f"{source}.dlq"


def _dead_letters(source: Topic, stage: str, *readers: str) -> Topic:
    return Topic(
        name=dead_letter_topic(source.name),
        key=source.key,
        record=None,
        doc=f"What {stage} could not use: original key and value, headers say why.",
        written_by=(stage,),
        read_by=("operators", *readers),
        partitions=source.partitions,
        retention_ms=30 * DAY_MS,
        max_message_bytes=source.max_message_bytes + DEAD_LETTER_HEADERS_BYTES,
    )


TOPICS: tuple[Topic, ...] = (
    INGESTED,
    INGESTED_BULK,
    SCREENED,
    SCREENED_BULK,
    SIGNALS,
    DECISION,
    DECISION_CURRENT,
    REVIEW_REQUESTED,
    DECISION_SHADOW,
    HISTORY,
    BRAKE_STATE,
    BANK_ENTRY,
    POLICY_ACTIVE,
    _dead_letters(INGESTED, "screen"),
    _dead_letters(INGESTED_BULK, "screen"),
    _dead_letters(SCREENED, "transcribe"),
    _dead_letters(SCREENED_BULK, "transcribe"),
    _dead_letters(SIGNALS, "judge", "replay"),
)


def topics_of(record: type[Record]) -> tuple[Topic, ...]:
    """List the topics that carry `record`; the first is its own."""
    return tuple(topic for topic in TOPICS if topic.record is record)


def topic_named(name: str) -> Topic:
    """Find a topic's row.

    Raises:
        KeyError: there is no such topic; the message lists those there are.
    """
    for topic in TOPICS:
        if topic.name == name:
            return topic
    raise KeyError(
        f"no topic {name!r}; there are {', '.join(topic.name for topic in TOPICS)}"
    )
