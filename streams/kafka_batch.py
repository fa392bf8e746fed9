"""Takes what has arrived from a librdkafka consumer, without waiting for a full batch.

`Consumer.consume` waits its whole time while fewer messages came than were asked for,
also when those were the last ones: at the end of everything that is read to its end.
"""

from typing import Any


def arrived(consumer: Any, most: int, wait_s: float) -> list[Any]:
    """Return what is there, in order, errors and ends of partitions too; blocks.

    Args:
        consumer: a `confluent_kafka.Consumer`.
        most: messages, at least 1.
        wait_s: for the first one; the others are not waited for.

    Raises:
        KafkaException: reading failed.
        RuntimeError: the consumer is closed.
    """
    first = consumer.poll(wait_s)
    if first is None:
        return []
    return [first, *consumer.consume(most - 1, 0)] if most > 1 else [first]
