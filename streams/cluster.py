"""Ask a cluster who it is, or say clearly why it does not answer; edge, under tools."""

import logging
from time import monotonic
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.errors import StartError
from streams.kafka_access import Kafka, KafkaAccess, as_access
from streams.kafka_causes import Complaints, cause_of, refusal

# A healthy broker takes milliseconds; one that just starts, seconds. With the start of
# a process before it, a failure is told within 10 s.
ANSWER_S = 8.0
_LOOK_S = 1.0  # How often the wait looks whether the cause is known by now.
# Where librdkafka's own lines go; without it they land raw on standard error.
KAFKA_LOG = logging.getLogger("headgate.librdkafka")
_EMBEDDED_ID = "mockCluster"  # What librdkafka's mock calls itself: rdkafka_mock.c, id.


class Muted(logging.Filter):
    """Holds a client's log lines back until it was let in: a refusal is one sentence.

    `logger` is the client's; librdkafka offers no way to change `log_level` later.
    """

    def __init__(self) -> None:
        super().__init__()
        self.muted = True
        self.logger = logging.Logger(KAFKA_LOG.name)  # Registered nowhere: no leak.
        self.logger.parent = KAFKA_LOG
        self.logger.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a line pass once nothing is held back any more."""
        return not self.muted


def open_admin(kafka: Kafka) -> tuple[Any, Any]:
    """Return a client for administration, and the metadata of its cluster. Blocks.

    Raises:
        StartError: nobody answers, or we are not let in; the sentence says why.
    """
    access, complaints = as_access(kafka), Complaints()
    admin = AdminClient(access.librdkafka() | {"log_level": 0, "error_cb": complaints})
    return admin, cluster_of(admin, access, complaints)


def cluster_of(client: Any, kafka: Kafka, complaints: Complaints | None = None) -> Any:
    """Return the metadata of the cluster that a confluent-kafka `client` talks to.

    `complaints` is the client's `error_cb`; without it fewer causes can be named.

    Raises:
        StartError: nobody answers, or we are not let in; the sentence says why.
    """
    access, complaints = as_access(kafka), complaints or Complaints()
    deadline = monotonic() + ANSWER_S
    while True:
        try:
            return client.list_topics(timeout=_LOOK_S)
        except KafkaException as error:
            client.poll(0)  # Hands over what `complaints` is to hear.
            cause = cause_of(access, complaints)
            if cause is not None:
                raise StartError(cause) from error
            if monotonic() > deadline:
                raise StartError(_silence(access, error)) from error


def unseen(client: Any, access: KafkaAccess, topic: str) -> StartError:
    """Return why `topic` is not in the cluster's metadata: no right, or not there."""
    found = client.list_topics(topic, timeout=ANSWER_S).topics[topic]
    why = found.error and refusal(access, found.error, "Describe", topic)
    return StartError(
        why
        or f"topic {topic} does not exist at {access.bootstrap_servers}; run "
        "`headgate topics apply`, or pick one that does"
    )


def refused(
    access: KafkaAccess, error: KafkaException, operation: str, name: str
) -> str:
    """Return the sentence for an error: the missing right, or the broker's own text."""
    told = error.args[0]
    return refusal(access, told, operation, name) or str(told.str())


def places_of(kafka: Kafka, topic: str) -> list[tuple[str, int]]:
    """Return a topic's partitions, none where it does not exist; blocks.

    Raises:
        StartError: see `open_admin`.
    """
    _, cluster = open_admin(kafka)
    found = cluster.topics.get(topic)
    return [] if found is None else [(topic, number) for number in found.partitions]


def is_embedded(cluster: Any) -> bool:
    """Tell the embedded broker, with its limits, from Apache Kafka."""
    return str(cluster.cluster_id).startswith(_EMBEDDED_ID)


def _silence(access: KafkaAccess, error: KafkaException) -> str:
    return (
        f"no Kafka broker answered at {access.bootstrap_servers} in {ANSWER_S:g} s "
        f"({error.args[0].str()}); start one (`headgate broker`), set "
        "HEADGATE_BOOTSTRAP_SERVERS, or, where its listener asks for a login, "
        "HEADGATE_KAFKA_SECURITY_PROTOCOL"
    )
