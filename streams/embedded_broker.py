"""A Kafka broker inside this process: librdkafka's mock cluster; edge, for the demo.

No Java, no Docker, nothing on disk. Other processes reach it over loopback too. What it
can't do, measured with librdkafka 2.16.0 (`tests/integration/test_broker_contract.py`
holds most of it):

- A partition keeps its last 5 MB, in memory, and drops older records without a word.
  A record that leaves no room for the one before it is confirmed and never delivered:
  producers need a limit of `MAX_RECORD_BYTES`, to be told instead.
- No CreateTopics: a topic appears when a producer or `ensure_topics` asks for it,
  always with 4 partitions; nothing is compacted and nothing expires.
- Transactions are accepted and mean nothing: aborted records stay readable, offsets
  sent with them are not committed, no one is fenced. So the judge runs in ledger mode.
- A group takes one aiokafka member: the second one's SyncGroup is refused.
- Offsets can't be looked up by time (`streams/kafka_tail.py` scans instead).
- A group's first join takes 3 s, the mock's own fixed delay.
"""

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaException, Producer

from streams.errors import StartError

PARTITIONS = 4  # librdkafka's default for a topic its mock creates.
# Half of a partition's memory (rdkafka_mock.c, max_size is 5 MiB): any two records fit.
MAX_RECORD_BYTES = 2_500_000
_METADATA_TIMEOUT_S = 10.0  # The mock answers in about 0.1 s; a loaded machine in 2.


class EmbeddedBroker:
    """Run a broker for as long as this context lasts; loopback only."""

    def __init__(self) -> None:
        self._producer: Any = None
        self._address = ""

    @property
    def bootstrap_servers(self) -> str:
        """Return the broker's address, `host:port`.

        Raises:
            StartError: the broker isn't running.
        """
        if not self._address:
            raise StartError(
                "the embedded broker isn't running; use it as `with EmbeddedBroker()`"
            )
        return self._address

    def start(self) -> None:
        """Start the broker; returns once it answers, in about 0.1 s.

        Raises:
            StartError: it did not answer.
        """
        # The mock cluster lives exactly as long as the producer that carries it.
        self._producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
        try:
            brokers = self._producer.list_topics(timeout=_METADATA_TIMEOUT_S).brokers
        except KafkaException as error:
            self._producer = None
            raise StartError(
                f"the embedded broker did not answer in {_METADATA_TIMEOUT_S:g} s "
                f"({error}); is loopback usable here?"
            ) from error
        first = next(iter(brokers.values()))
        self._address = f"{first.host}:{first.port}"

    def stop(self) -> None:
        """Stop the broker and forget every record; does nothing when stopped."""
        self._producer, self._address = None, ""

    def ensure_topics(self, names: Iterable[str]) -> None:
        """Make topics exist, so that consumers which never create any can see them.

        Raises:
            StartError: the broker did not make one of them.
        """
        address = self.bootstrap_servers
        for name in names:
            topic = self._producer.list_topics(name, timeout=_METADATA_TIMEOUT_S)
            if topic.topics[name].error is not None:
                raise StartError(
                    f"topic {name}: the embedded broker at {address} answered "
                    f"{topic.topics[name].error}; expected it to be created"
                )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
