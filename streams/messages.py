"""What comes off a topic and what goes onto one."""

from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.place import Place

Headers = tuple[tuple[str, bytes], ...]

# W3C trace context travels through every stage unchanged.
TRACE_HEADERS = ("traceparent", "tracestate")


@dataclass(frozen=True, slots=True)
class Record:
    """One event as it lies on its topic: raw bytes, undecoded."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int  # When it was produced or appended; -1 if the broker has none.
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.topic, self.partition, self.offset)

    @property
    def arrived_at(self) -> datetime | None:
        """The record's own time, UTC; the only clock that replay can repeat."""
        if self.timestamp_ms < 0:
            return None
        return datetime.fromtimestamp(self.timestamp_ms / 1000, UTC)

    @property
    def trace(self) -> Headers:
        """The trace context that outputs carry on."""
        return tuple(h for h in self.headers if h[0] in TRACE_HEADERS)


@dataclass(frozen=True, slots=True)
class Output:
    """One record to write; without a partition the key chooses it (murmur2).

    Without a timestamp, in milliseconds, it is written with the current time.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None
    timestamp_ms: int | None = None
