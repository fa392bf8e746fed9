"""Counts what a producer confirms and what it fails, by topic."""

from streams.errors import HeadgateError
from streams.messages import Output
from streams.metrics import Metrics
from streams.stage import Producer


class CountingProducer:
    """A producer like the one it wraps."""

    def __init__(self, producer: Producer, metrics: Metrics) -> None:
        self._producer = producer
        self._outputs = metrics.outputs

    async def send(self, output: Output) -> None:
        """See `Producer`."""
        try:
            await self._producer.send(output)
        except HeadgateError:
            self._outputs.labels(output.topic, "failed").inc()
            raise
        self._outputs.labels(output.topic, "confirmed").inc()
