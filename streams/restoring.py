"""Reads a partition's histories and brakes back from their compacted changelogs."""

from collections.abc import Callable

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.codec import Codec
from schemas.errors import RegistryUnavailableError
from schemas.records import BrakeCount
from schemas.topics import BRAKE_STATE, HISTORY
from streams.brake_records import state_of
from streams.brakes import BrakeState
from streams.cluster import refused
from streams.errors import TransientError
from streams.kafka_access import Kafka, as_access
from streams.kafka_batch import arrived

POLL_S = 1.0
BATCH = 1000
# No answer for this long: the broker is away, and the caller tries again.
SILENCE_S = 30.0


def history_reader(
    kafka: Kafka, topic: str = HISTORY.name
) -> Callable[[int], dict[str, bytes]]:
    """Return a function that reads one partition's histories; it blocks."""
    access = as_access(kafka)

    def restore(partition: int) -> dict[str, bytes]:
        consumer = Consumer(
            {
                **access.librdkafka(),
                "group.id": "headgate-restore",  # Required, never joined.
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
            }
        )
        try:
            return _read(consumer, TopicPartition(topic, partition))
        except KafkaException as error:
            why = refused(access, error, "Read", topic)
            raise TransientError(f"can't read {topic}[{partition}]: {why}") from error
        finally:
            consumer.close()

    return restore


def brake_reader(
    kafka: Kafka, codec: Codec, topic: str = BRAKE_STATE.name
) -> Callable[[int], BrakeState]:
    """Return a function that reads one partition's brakes; it blocks."""
    read = history_reader(kafka, topic)

    def restore(partition: int) -> BrakeState:
        values = read(partition).values()
        try:
            return state_of(codec.decode(value, BrakeCount) for value in values)
        except RegistryUnavailableError as error:
            raise TransientError(f"can't decode {topic}: {error}") from error

    return restore


def _read(consumer: Consumer, source: TopicPartition) -> dict[str, bytes]:
    low, high = consumer.get_watermark_offsets(source, timeout=SILENCE_S)
    source.offset = low
    consumer.assign([source])
    histories: dict[str, bytes] = {}
    silent_s = 0.0
    while _position(consumer, source, low) < high:
        messages = arrived(consumer, BATCH, POLL_S)
        silent_s = 0.0 if messages else silent_s + POLL_S
        if silent_s > SILENCE_S:
            raise TransientError(f"{source.topic}[{source.partition}] does not answer")
        for message in messages:
            if message.error() is not None:
                raise KafkaException(message.error())
            uploader_id, value = (message.key() or b"").decode(), message.value()
            if value is None:
                histories.pop(uploader_id, None)  # A tombstone: erased.
            else:
                histories[uploader_id] = value
    return histories


def _position(consumer: Consumer, source: TopicPartition, low: int) -> int:
    """Return the next offset to read; past transaction markers too."""
    offset: int = consumer.position([source])[0].offset
    return max(offset, low)
