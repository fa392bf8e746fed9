"""What a broker is, has and lets us do, asked before anything relies on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.access_rules import read_access_rules
from streams.cluster import is_embedded, open_admin
from streams.embedded_broker import MAX_RECORD_BYTES
from streams.errors import StartError
from streams.kafka_access import Kafka, as_access
from streams.producer import MESSAGE_MAX_BYTES
from streams.rights_check import check_rights

STAGES = ("screen", "transcribe", "judge")


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """What a broker told of itself."""

    embedded: bool  # librdkafka's mock: no transactions, no time look-ups.
    topics: frozenset[str]  # Those that this user may see.

    @property
    def max_message_bytes(self) -> int:
        """The largest record that may be written to it."""
        return MAX_RECORD_BYTES if self.embedded else MESSAGE_MAX_BYTES


def ask_broker(kafka: Kafka) -> BrokerFacts:
    """Ask a broker what it is. Blocks.

    Raises:
        StartError: nothing answers there, or we are not let in.
    """
    _, cluster = open_admin(kafka)
    return BrokerFacts(is_embedded(cluster), frozenset(cluster.topics))


def check_broker(
    kafka: Kafka,
    judge_mode: str,
    stages: Sequence[str] = STAGES,
    app_id: str = "headgate",
) -> BrokerFacts:
    """Refuse a broker that a worker of these stages can't work on.

    Raises:
        StartError: it doesn't answer or let us in, lacks topics, refuses a right, or
            can't do what `judge_mode` asks.
    """
    access = as_access(kafka)
    admin, cluster = open_admin(access)
    facts = BrokerFacts(is_embedded(cluster), frozenset(cluster.topics))
    if facts.embedded and judge_mode == "transactional":
        raise StartError(
            "HEADGATE_JUDGE_MODE is transactional, and the embedded broker has no "
            "transactions; set it to ledger"
        )
    rights = read_access_rules(app_id).of(*stages)
    missing = {r.name for r in rights if r.kind == "topic"} - facts.topics
    if not facts.embedded:
        missing = check_rights(
            admin, access, rights, transactions=judge_mode == "transactional"
        )
    if missing:
        raise StartError(
            f"the broker at {access.bootstrap_servers} lacks "
            f"{', '.join(sorted(missing))}: run `headgate topics apply`"
        )
    return facts
