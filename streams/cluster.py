"""Ask a cluster who it is, or say clearly that no one is there; edge, under tools."""

import logging
from typing import Any

from confluent_kafka import KafkaException

from streams.errors import StartError

ANSWER_S = 10.0  # A healthy broker takes milliseconds; one that just starts, seconds.
# Where librdkafka's own lines go; without it they land raw on standard error.
KAFKA_LOG = logging.getLogger("headgate.librdkafka")
_EMBEDDED_ID = "mockCluster"  # What librdkafka's mock calls itself: rdkafka_mock.c, id.


def cluster_of(client: Any, bootstrap_servers: str) -> Any:
    """Return the metadata of the cluster that a confluent-kafka `client` talks to.

    Raises:
        StartError: nobody answers at `bootstrap_servers`.
    """
    try:
        return client.list_topics(timeout=ANSWER_S)
    except KafkaException as error:
        raise StartError(
            f"no Kafka broker answered at {bootstrap_servers} in {ANSWER_S:g} s "
            f"({error.args[0].str()}); start one (`headgate broker`) or set "
            "HEADGATE_BOOTSTRAP_SERVERS"
        ) from error


def is_embedded(cluster: Any) -> bool:
    """Tell the embedded broker, with its limits, from Apache Kafka."""
    return str(cluster.cluster_id).startswith(_EMBEDDED_ID)
