"""Reads single records of a topic by their place; edge."""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from streams.cluster import ANSWER_S
from streams.errors import TransientError
from streams.kafka_tail import record_of
from streams.messages import Record


class RecordFetcher:
    """A connection of its own, made when it is first needed."""

    def __init__(self, config: Mapping[str, Any], topic: str) -> None:
        self._config, self._topic = config, topic
        self._consumer: Any = None

    def fetch(self, partition: int, offset: int) -> Record | None:
        """Return the record at an offset; None if it is gone. Blocks.

        Raises:
            TransientError: the broker does not answer.
            KafkaException: reading failed.
        """
        if self._consumer is None:
            self._consumer = Consumer(dict(self._config))
        self._consumer.assign([TopicPartition(self._topic, partition, offset)])
        messages = self._consumer.consume(1, ANSWER_S)
        if not messages:
            raise TransientError(f"{self._topic}[{partition}] does not answer")
        (message,) = messages
        if message.error() is not None or message.offset() != offset:
            return None
        return record_of(message)

    def close(self) -> None:
        """Let go of the connection."""
        if self._consumer is not None:
            self._consumer.close()
