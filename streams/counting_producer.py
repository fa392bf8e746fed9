"""Counts what a producer confirms and what it fails, by topic."""

from collections.abc import Sequence

from streams.errors import HeadgateError
from streams.metrics import Metrics
from streams.stage import Producer


class CountingProducer:
    """A producer like the one it wraps."""

    def __init__(self, producer: Producer, metrics: Metrics) -> None:
        self._producer = producer
        self._outputs = metrics.outputs

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> None:
        """See `Producer`."""
        try:
            await self._producer.send(
                topic, key, value, headers, partition, timestamp_ms
            )
        except HeadgateError:
            self._outputs.labels(topic, "failed").inc()
            raise
        self._outputs.labels(topic, "confirmed").inc()
