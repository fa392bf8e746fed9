"""Ask Kafka whether we may do what our stages do; edge, before a worker starts.

A right that is missing shows up late otherwise: a group that never gets partitions, a
write that is tried again for ever.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from confluent_kafka import (
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
)

from streams.access_rules import Right
from streams.cluster import ANSWER_S, KAFKA_LOG, refused
from streams.errors import StartError
from streams.kafka_access import KafkaAccess
from streams.kafka_causes import lacking

_COORDINATOR_AWAY = {
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.NOT_COORDINATOR,
    KafkaError._TIMED_OUT,
}


def check_rights(
    admin: Any, access: KafkaAccess, rights: Sequence[Right], *, transactions: bool
) -> set[str]:
    """Refuse to go on without one of `rights`. Blocks.

    Returns:
        The topics among them that don't exist.

    Raises:
        StartError: a right is missing; says which, and how it is granted.
    """
    missing = _check_topics(admin, access, [r for r in rights if r.kind == "topic"])
    _check_groups(admin, access, [r for r in rights if r.kind == "group"])
    if transactions:
        for right in rights:
            if right.kind == "transactional_id":
                _check_transactions(access, right.name)
    return missing


def _check_topics(admin: Any, access: KafkaAccess, rights: Sequence[Right]) -> set[str]:
    def ask(names: list[str]) -> Any:
        return admin.describe_topics(
            TopicCollection(names),
            include_authorized_operations=True,
            request_timeout=ANSWER_S,
        )

    return _check(access, "topic", rights, ask)


def _check_groups(admin: Any, access: KafkaAccess, rights: Sequence[Right]) -> None:
    def ask(names: list[str]) -> Any:
        return admin.describe_consumer_groups(
            names, include_authorized_operations=True, request_timeout=ANSWER_S
        )

    # A group that is not there yet still has its rights told.
    _check(access, "group", [r for r in rights if not r.prefixed], ask)


def _check(
    access: KafkaAccess,
    kind: str,
    rights: Iterable[Right],
    ask: Callable[[list[str]], Any],
) -> set[str]:
    wanted: dict[str, set[str]] = {}
    for right in rights:
        wanted.setdefault(right.name, set()).add(right.operation)
    if not wanted:
        return set()
    absent = set()
    for name, answer in ask(sorted(wanted)).items():
        try:
            allowed = answer.result().authorized_operations
        except KafkaException as error:
            code = error.args[0].code()
            # A new broker's coordinators take a while: no answer about rights.
            if code in _COORDINATOR_AWAY:
                continue
            if code != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise StartError(
                    refused(access, error, min(wanted[name]).capitalize(), name)
                ) from error
            absent.add(name)
            continue
        if allowed is None:  # A broker that doesn't tell them.
            continue
        may = {operation.name.lower() for operation in allowed}
        for operation in sorted(wanted[name] - may):
            raise StartError(lacking(access, operation.capitalize(), kind, name))
    return absent


def _check_transactions(access: KafkaAccess, prefix: str) -> None:
    """Begin to be a transactional producer: there is no other way to ask."""
    name = f"{prefix}access-check"
    producer = Producer(
        access.librdkafka()
        | {"transactional.id": name, "log_level": 0, "logger": KAFKA_LOG}
    )
    try:
        producer.init_transactions(ANSWER_S)
    except KafkaException as error:
        code = error.args[0].code()
        if code == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            why = lacking(access, "Write", "transactional id", f"{prefix}*")
            raise StartError(why) from error
        # Slow, or another worker asks the same at this moment: no answer about rights.
    finally:
        with suppress(KafkaException):
            producer.purge()
