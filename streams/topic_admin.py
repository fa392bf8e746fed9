"""Make the broker's topics what `schemas/topics.py` says; edge of `topics apply`.

Missing topics are created. What exists is compared and told, never changed: a retention
set by an operator, or a partition count that keys depend on, is not ours to undo.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any, Literal, Protocol

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # No __all__ there.
    ConfigResource,
    NewTopic,
)

from streams.cluster import ANSWER_S, cluster_of, is_embedded, open_admin
from streams.errors import StartError
from streams.kafka_access import Kafka, KafkaAccess, as_access

_TIMEOUT_S = 30.0  # Creating a dozen topics takes a second or two here.
_LOOK_AGAIN_S = 0.1
# Three copies of which two must have a record: the usual floor for no loss when one
# broker dies (Kafka's documentation of min.insync.replicas).
_COPIES_FOR_MIN_INSYNC = 3

State = Literal["created", "missing", "exists", "differs", "ensured"]


class Topic(Protocol):
    """What is asked of a row of `schemas.topics.TOPICS`."""

    @property
    def name(self) -> str: ...  # noqa: D102 (the row's own docstring says it)
    @property
    def partitions(self) -> int: ...  # noqa: D102
    @property
    def config(self) -> dict[str, str]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What was found or done about one topic."""

    name: str
    # ensured: made by a broker that can't be told how; missing: a dry run left it.
    state: State
    differences: tuple[str, ...] = ()  # "retention.ms is 1, expected 2", …


def apply_topics(
    kafka: Kafka,
    topics: Iterable[Topic],
    *,
    partitions: int | None = None,
    replication: int = 1,
    dry_run: bool = False,
) -> tuple[TopicReport, ...]:
    """Create what is missing and compare the rest; safe to repeat. Blocks.

    Args:
        kafka: how to reach the broker; its addresses are enough without a login.
        topics: rows of `schemas.topics.TOPICS`.
        partitions: overrides every row's partition count.
        replication: copies of each partition; at most the number of brokers.
        dry_run: create nothing.

    Raises:
        StartError: the broker does not answer, or refuses to create a topic.
    """
    wanted = [_specified(topic, partitions, replication) for topic in topics]
    access = as_access(kafka)
    admin, cluster = open_admin(access)
    if is_embedded(cluster):
        # It has no controller, so CreateTopics would only time out.
        return tuple(_ensure(admin, topic) for topic in wanted)
    missing = [topic for topic in wanted if topic.topic not in cluster.topics]
    created, visible = set[str](), cluster.topics
    if not dry_run:
        created = _create(admin, missing)
        visible = _visible(admin, access, [topic.topic for topic in wanted])
    present = [t for t in wanted if t.topic in visible and t.topic not in created]
    found = _configs(admin, [topic.topic for topic in present])
    differing = {
        topic.topic: _partition_drift(topic, visible[topic.topic])
        + _config_drift(topic, found[topic.topic])
        for topic in present
    }
    return tuple(_report(topic.topic, created, differing) for topic in wanted)


def _specified(topic: Topic, partitions: int | None, replication: int) -> Any:
    config = dict(topic.config)
    if replication >= _COPIES_FOR_MIN_INSYNC:
        config["min.insync.replicas"] = str(replication - 1)
    return NewTopic(
        topic.name,
        num_partitions=partitions or topic.partitions,
        replication_factor=replication,
        config=config,
    )


def _ensure(admin: Any, topic: Any) -> TopicReport:
    found = _cluster_topic(admin, topic.topic)
    told = ("the embedded broker has no CreateTopics: none of the settings hold",)
    return TopicReport(topic.topic, "ensured", told + _partition_drift(topic, found))


def _cluster_topic(admin: Any, name: str) -> Any:
    try:
        found = admin.list_topics(name, timeout=ANSWER_S).topics[name]
    except KafkaException as error:
        raise StartError(f"topic {name}: {error.args[0].str()}") from error
    if found.error is not None:
        raise StartError(
            f"topic {name}: the broker answered {found.error.str()}; expected it to "
            "create the topic when asked for it"
        )
    return found


def _create(admin: Any, topics: Sequence[Any]) -> set[str]:
    if not topics:
        return set()
    created = set()
    for name, future in admin.create_topics(
        list(topics), operation_timeout=_TIMEOUT_S, request_timeout=_TIMEOUT_S
    ).items():
        try:
            future.result()
            created.add(name)
        except KafkaException as error:
            # Someone else was quicker: then it is one more topic to compare.
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise StartError(
                    f"topic {name} could not be created: {error.args[0].str()}; "
                    "check its row in schemas/topics.py, --replication against the "
                    "number of brokers, and this user's rights"
                ) from error
    return created


def _visible(admin: Any, access: KafkaAccess, names: Sequence[str]) -> Any:
    # Kafka confirms a topic before every broker knows of it; whoever goes on at once
    # would meet "unknown topic".
    deadline = monotonic() + _TIMEOUT_S
    while monotonic() < deadline:
        known = cluster_of(admin, access).topics
        if all(name in known and _has_leaders(known[name]) for name in names):
            return known
        sleep(_LOOK_AGAIN_S)
    raise StartError(
        f"not all of {', '.join(names)} had a leader after {_TIMEOUT_S:g} s; are all "
        f"brokers at {access.bootstrap_servers} up?"
    )


def _has_leaders(topic: Any) -> bool:
    return all(partition.leader >= 0 for partition in topic.partitions.values())


def _configs(admin: Any, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    if not names:
        return {}
    asked = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    answers = admin.describe_configs(asked, request_timeout=_TIMEOUT_S)
    try:
        return {resource.name: future.result() for resource, future in answers.items()}
    except KafkaException as error:
        raise StartError(
            f"the settings of {', '.join(names)} can't be read: "
            f"{error.args[0].str()}; this user needs DescribeConfigs on them"
        ) from error


def _partition_drift(wanted: Any, found: Any) -> tuple[str, ...]:
    if len(found.partitions) == wanted.num_partitions:
        return ()
    return (f"partitions is {len(found.partitions)}, expected {wanted.num_partitions}",)


def _config_drift(wanted: Any, found: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{name} is {found[name].value}, expected {value}"
        for name, value in wanted.config.items()
        if name in found and found[name].value != value
    )


def _report(
    name: str, created: set[str], differing: dict[str, tuple[str, ...]]
) -> TopicReport:
    if name in created:
        return TopicReport(name, "created")
    if name not in differing:
        return TopicReport(name, "missing")
    differences = differing[name]
    return TopicReport(name, "differs" if differences else "exists", differences)
