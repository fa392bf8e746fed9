"""The latest word on contents, as risk.decision.v1 has it, followed as it grows."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.codec import Codec
from schemas.errors import CodecError
from schemas.records import RiskDecision
from schemas.topics import DECISION
from streams.kafka_access import KafkaAccess
from streams.kafka_tail import tail
from streams.ledger import TopicPartition
from streams.replaying.ranges import Offsets


@dataclass(slots=True)
class Spoken:
    """The decisions on one content, by id, in the order in which they first came."""

    first_ms: dict[str, int] = field(default_factory=dict)  # When each came.
    last: str = ""  # The id of the last record; may be a repeat of an older word.

    @property
    def latest(self) -> str:
        """The id of the word that counts: a repeat does not make it younger."""
        return next(reversed(self.first_ms), "")


class Words:
    """What was said on some contents; memory grows with them alone."""

    def __init__(
        self, access: KafkaAccess, codec: Codec, contents: Iterable[str]
    ) -> None:
        self._access, self._codec = access, codec
        self._keys = {content.encode() for content in contents}
        self._next: dict[TopicPartition, int] = {}
        self._spoken: dict[str, Spoken] = {}

    def refresh(self) -> None:
        """Read on to the topic's end; at first all of it. Blocks.

        Raises:
            StartError, TransientError: the broker does not let us.
        """
        if not self._next:
            self._next = self._beginnings()
        read: dict[TopicPartition, int] = {}
        for record in tail(
            self._access, [DECISION.name], start=self._next, until_end=True
        ):
            if record.key in self._keys:
                self._hear(record.value, record.timestamp_ms)
            read[DECISION.name, record.partition] = record.offset + 1
        self._next |= read

    def of(self, content_id: str) -> Spoken:
        """Return what was said on a content."""
        return self._spoken.get(content_id, Spoken())

    def _beginnings(self) -> dict[TopicPartition, int]:
        with Offsets(self._access) as offsets:
            return {
                (DECISION.name, number): offsets.ends(DECISION.name, number)[0]
                for number in offsets.partitions(DECISION.name)
            }

    def _hear(self, value: bytes | None, time_ms: int) -> None:
        try:
            decision = self._codec.decode(value, RiskDecision)
        except CodecError:
            return  # No decision, so no word either.
        spoken = self._spoken.setdefault(decision.content_id, Spoken())
        spoken.first_ms.setdefault(decision.decision_id, time_ms)
        spoken.last = decision.decision_id
