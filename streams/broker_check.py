"""What a broker is and has, asked before anything relies on it."""

from dataclasses import dataclass

from confluent_kafka.admin import AdminClient

from schemas.topics import TOPICS
from streams.cluster import cluster_of, is_embedded
from streams.embedded_broker import MAX_RECORD_BYTES
from streams.errors import StartError
from streams.producer import MESSAGE_MAX_BYTES


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """What a broker told of itself."""

    embedded: bool  # librdkafka's mock: no transactions, no time look-ups.
    topics: frozenset[str]

    @property
    def max_message_bytes(self) -> int:
        """The largest record that may be written to it."""
        return MAX_RECORD_BYTES if self.embedded else MESSAGE_MAX_BYTES

    @property
    def missing_topics(self) -> tuple[str, ...]:
        """Those of ours that it lacks."""
        return tuple(t.name for t in TOPICS if t.name not in self.topics)


def ask_broker(bootstrap_servers: str) -> BrokerFacts:
    """Ask a broker what it is. Blocks.

    Raises:
        StartError: nothing answers there.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    cluster = cluster_of(admin, bootstrap_servers)
    return BrokerFacts(is_embedded(cluster), frozenset(cluster.topics))


def check_broker(bootstrap_servers: str, judge_mode: str) -> BrokerFacts:
    """Refuse a broker that a worker can't work on.

    Raises:
        StartError: it doesn't answer, lacks topics, or can't do what `judge_mode` asks.
    """
    facts = ask_broker(bootstrap_servers)
    if facts.missing_topics:
        raise StartError(
            f"the broker at {bootstrap_servers} lacks "
            f"{', '.join(facts.missing_topics)}: run `headgate topics apply`"
        )
    if facts.embedded and judge_mode == "transactional":
        raise StartError(
            "HEADGATE_JUDGE_MODE is transactional, and the embedded broker has no "
            "transactions; set it to ledger"
        )
    return facts
