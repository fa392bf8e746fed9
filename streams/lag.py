"""How far each group is behind, by the positions that the broker itself holds.

Not by what we believe to have committed: Faust takes a failed commit for done (F5), and
a partition that nobody owns any more is nobody's belief.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # No __all__ there.
    AdminClient,
    OffsetSpec,
)

from streams.metrics import Metrics

# Prometheus usually asks every 15 to 60 s.
EVERY_S = 15.0
ANSWER_S = 10.0


class LagMeter:
    """Sets the lag of our groups' partitions, from a thread of its own."""

    def __init__(
        self, config: Mapping[str, Any], groups: Mapping[str, Iterable[str]]
    ) -> None:
        """Prepare.

        Args:
            config: librdkafka's settings for reaching the broker.
            groups: each group's topics.
        """
        self._config = {**config, "log_level": 0}
        self._groups = {group: tuple(topics) for group, topics in groups.items()}
        self._over = threading.Event()
        self._admin: AdminClient | None = None

    def start(self, metrics: Metrics) -> None:
        """Measure until `close`."""
        threading.Thread(
            target=self._run, args=(metrics,), name="lag", daemon=True
        ).start()

    def close(self) -> None:
        """Stop measuring."""
        self._over.set()

    def answers(self) -> bool:
        """Ask the broker whether it is there; blocks for 10 s at most."""
        try:
            return bool(self._client().list_topics(timeout=ANSWER_S).brokers)
        except KafkaException:
            return False

    def measure(self) -> dict[tuple[str, str, int], int]:
        """Return the lag by group, topic and partition. Blocks.

        Raises:
            KafkaException: the broker does not answer.
        """
        lags = {}
        topics = self._client().list_topics(timeout=ANSWER_S).topics
        for group, names in self._groups.items():
            partitions = [
                TopicPartition(name, number)
                for name in names
                if name in topics
                for number in topics[name].partitions
            ]
            ends = self._ends(partitions)
            for at in self._positions(group, partitions):
                place = (at.topic, at.partition)
                # Below zero: the group has committed nothing there.
                lags[(group, *place)] = max(0, ends[place] - max(0, at.offset))
        return lags

    def _run(self, metrics: Metrics) -> None:
        while not self._over.wait(EVERY_S):
            try:
                lags = self.measure()
            except KafkaException:
                continue  # The last figures stay; producers and consumers complain.
            for (group, topic, partition), lag in lags.items():
                metrics.lag.labels(group, topic, partition).set(lag)

    def _client(self) -> AdminClient:
        if self._admin is None:
            self._admin = AdminClient(self._config)
        return self._admin

    def _ends(self, partitions: list[TopicPartition]) -> dict[tuple[str, int], int]:
        asked = {partition: OffsetSpec.latest() for partition in partitions}  # type: ignore[no-untyped-call]
        answers = self._client().list_offsets(asked, request_timeout=ANSWER_S)
        return {(p.topic, p.partition): f.result().offset for p, f in answers.items()}

    def _positions(
        self, group: str, partitions: list[TopicPartition]
    ) -> list[TopicPartition]:
        asked = [ConsumerGroupTopicPartitions(group, partitions)]
        answers = self._client().list_consumer_group_offsets(
            asked, request_timeout=ANSWER_S
        )
        (answer,) = (future.result() for future in answers.values())
        found: list[TopicPartition] = answer.topic_partitions
        return found
