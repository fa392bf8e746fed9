"""Reads topics with the plain client, and Avro by the committed schemas.

For the checker alone: it imports nothing of ours, so that it can't share a mistake.
"""

import io
import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as Place

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
INGESTED, DECISION = "content.ingested.v1", "risk.decision.v1"
SILENCE_S = 60
Content = tuple[str, int]  # Content id and its revision.


@dataclass(frozen=True, slots=True)
class Read:
    """One record, as it lies on its topic."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Decoder:
    """Reads Confluent's wire format by the ids committed beside the schemas."""

    def __init__(self) -> None:
        subjects = json.loads((SCHEMAS / "ids.json").read_text("utf-8"))
        self._schemas: dict[tuple[str, int], Any] = {}
        for subject, row in subjects.items():
            text = (SCHEMAS / row["schema"]).read_text("utf-8")
            kind = row["schema"].partition(".")[0]
            self._schemas[kind, row["id"]] = fastavro.parse_schema(json.loads(text))
            assert subject.endswith("-value")

    def decode(self, kind: str, value: bytes | None) -> dict[str, Any] | None:
        """Return the record; None when the bytes are not of this kind, to the last."""
        if not value or len(value) < 5 or value[0] != 0:
            return None
        schema = self._schemas.get((kind, struct.unpack(">I", value[1:5])[0]))
        if schema is None:
            return None
        body = io.BytesIO(value[5:])
        try:
            found = fastavro.schemaless_reader(body, schema, None)
        except Exception:  # fastavro's have no common ancestor.
            return None
        return found if body.tell() == len(value) - 5 else None

    def content(self, value: bytes | None) -> Content | None:
        """Return whose record of any stage this is."""
        event = self.decode("content_ingested", value)
        if event is None:
            signals = self.decode("content_signals", value)
            event = signals["event"] if signals else None
        return (event["content_id"], event["revision"]) if event else None


def read_topics(bootstrap: str) -> list[Read]:
    """Read the input, the decisions and every dead letter, committed ones only."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "chaos-checker",  # Required, never joined.
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    try:
        topics = consumer.list_topics(timeout=30).topics
        left = {
            (name, partition)
            for name, topic in topics.items()
            for partition in topic.partitions
            if name in (INGESTED, DECISION) or name.endswith(".dlq")
        }
        consumer.assign([Place(*one, OFFSET_BEGINNING) for one in left])
        return list(_until_end(consumer, left))
    finally:
        consumer.close()


def _until_end(consumer: Consumer, left: set[tuple[str, int]]) -> Iterable[Read]:
    silent = 0
    while left:
        messages = consumer.consume(1000, 1.0)
        silent = 0 if messages else silent + 1
        if silent > SILENCE_S:
            raise TimeoutError(
                f"no answer for {SILENCE_S} s; still to read: {sorted(left)[:3]}"
            )
        for m in messages:
            if m.error() is None:
                key, value, headers = m.key(), m.value(), tuple(m.headers() or ())
                at = (m.topic(), m.partition(), m.offset(), m.timestamp()[1])
                yield Read(*at, key, value, headers)
            elif m.error().code() == KafkaError._PARTITION_EOF:
                left.discard((m.topic(), m.partition()))
            elif not m.error().retriable():
                raise KafkaException(m.error())
