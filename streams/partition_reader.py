"""Reads a partition from a time on, and single records of it; edge.

Without a consumer group: it disturbs nobody, and its place is its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
)

from streams.errors import TransientError
from streams.kafka_access import Kafka, as_access
from streams.kafka_tail import at_time, reader_config, record_of
from streams.messages import Record
from streams.record_fetcher import RecordFetcher

_CHUNK: Final = 200
_POLL_S: Final = 0.05


class PartitionReader:
    """A place in a partition that moves on, and can be set back."""

    def __init__(
        self, kafka: Kafka, topic: str, partition: int, since: datetime
    ) -> None:
        """Open it; blocks.

        Raises:
            TransientError: the broker does not answer.
        """
        self._place = (topic, partition)
        config = reader_config(as_access(kafka), "headgate-sweep")
        self._consumer = Consumer(config)
        self._fetcher = RecordFetcher(config, topic)
        self._since_ms = int(since.timestamp() * 1000)
        self.at_end = False
        self.next_new = 0  # What was read at least once lies below.
        try:
            self.rewind()
        except TransientError:
            self.close()
            raise

    def rewind(self) -> None:
        """Read from the beginning again.

        Raises:
            TransientError: the broker does not answer.
        """
        start = at_time(self._consumer, *self._place, self._since_ms)
        with self._errors():
            self._consumer.assign([start])
        self.at_end = False

    def read(self) -> Iterator[Record]:
        """Yield what has come since, a few hundred records at most; blocks for 50 ms.

        Raises:
            TransientError: reading failed; the place is lost.
        """
        with self._errors():
            messages = self._consumer.consume(_CHUNK, _POLL_S)
        for message in messages:
            if self._is_record(message):
                record = record_of(message)
                yield record
                self.next_new = max(self.next_new, record.offset + 1)

    def fetch(self, offset: int) -> Record | None:
        """Return the record at an offset; None if it is gone. Blocks.

        Raises:
            TransientError: the broker does not answer.
        """
        with self._errors():
            return self._fetcher.fetch(self._place[1], offset)

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()
        self._fetcher.close()

    def _is_record(self, message: Any) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() == KafkaError._PARTITION_EOF:
            self.at_end = True
        elif not error.retriable():
            raise TransientError(f"reading {self._name} failed: {error.str()}")
        return False

    @property
    def _name(self) -> str:
        topic, partition = self._place
        return f"{topic}[{partition}]"

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            why = error.args[0].str()
            raise TransientError(f"{self._name} can't be read: {why}") from error
