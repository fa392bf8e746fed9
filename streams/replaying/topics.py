"""Replay's records from the topics of a Kafka, and the plan of what to read there."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from schemas.codec import Codec
from schemas.errors import CodecError
from schemas.headers import header_map
from schemas.records import RiskDecision
from schemas.topics import DECISION, INGESTED, SIGNALS
from streams.errors import StartError
from streams.kafka_access import KafkaAccess
from streams.messages import Record
from streams.replaying.ranges import Bound, Offsets, Range, partition_of, read_range
from streams.replaying.request import (
    LETTERS,
    Part,
    Plan,
    Request,
    span_of,
    window_bound,
)

# Of one uploader; more would be a flood, whose replay needs no filter.
MOST_CONTENTS: Final = 200_000


class TopicReading:
    """Reads the ranges of a plan."""

    def __init__(self, access: KafkaAccess, plan: Plan) -> None:
        self._access = access
        self._letters = {part.partition: part for part in plan.letters}

    def signals(self, part: Range, uploader: str | None) -> Iterator[Record]:
        """Yield signals in offset order, with `uploader` only theirs."""
        keys = None if uploader is None else {uploader.encode()}
        return read_range(self._access, part, keys)

    def letters(self, partition: int) -> Iterator[Record]:
        """Yield the dead letters of the signals of a partition."""
        if partition in self._letters:
            yield from read_range(self._access, self._letters[partition])


def plan_topics(
    access: KafkaAccess,
    request: Request,
    codec: Codec,
    snapshot: dict[int, int] | None = None,
) -> Plan:
    """Fix which offsets a replay reads; blocks.

    Args:
        access: how to reach the broker.
        request: what is asked for.
        codec: reads decisions, where a content's uploader must be found.
        snapshot: of an earlier replay: up to where each partition was learned.

    Raises:
        StartError: the broker does not answer, a topic or the window does not exist.
    """
    start = window_bound(request.start, "--from")
    end = window_bound(request.end, "--to")
    with Offsets(access) as offsets:
        said = tuple(_whole(offsets, DECISION.name))
        uploader = request.uploader
        contents: tuple[str, ...] = ()
        if request.content is not None:
            uploader = _uploader_of(access, request.content, said, codec)
            contents = (request.content,)
        numbers = offsets.partitions(SIGNALS.name)
        if uploader is not None:
            numbers = [numbers[partition_of(uploader, len(numbers))]]
        parts = tuple(_part(offsets, p, start, end, snapshot) for p in numbers)
        wanted = {part.read.partition for part in parts}
        letters = tuple(r for r in _whole(offsets, LETTERS) if r.partition in wanted)
        ingested: tuple[Range, ...] = ()
        if request.from_stage == "ingested":
            ingested = tuple(_whole(offsets, INGESTED.name))
    cut = any(part.read.low for part in parts)
    return Plan(
        id=f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}",
        warmth="snapshot" if snapshot else "cut" if cut else "beginning",
        parts=parts,
        said=said,
        letters=letters,
        ingested=ingested,
        uploader=uploader,
        contents=contents,
        said_partitions=len(said),
        span_ms=span_of(start, end),
    )


def contents_of(access: KafkaAccess, plan: Plan) -> set[bytes] | None:
    """Return the contents of the uploader whose records are replayed; None: all.

    Raises:
        StartError: there are more than replay keeps in memory.
    """
    if plan.uploader is None:
        return None
    found: set[bytes] = set()
    for part in plan.parts:
        for record in read_range(access, part.read, {plan.uploader.encode()}):
            found.add(header_map(record.headers).get("ce_subject", b""))
            if len(found) > MOST_CONTENTS:
                raise StartError(
                    f"the uploader has over {MOST_CONTENTS} contents; replay the "
                    "window without --uploader or --content"
                )
    return found


def _whole(offsets: Offsets, topic: str) -> Iterator[Range]:
    for number in offsets.partitions(topic):
        low, high = offsets.ends(topic, number)
        yield Range(topic, number, low, high, low)


def _part(
    offsets: Offsets,
    partition: int,
    start: Bound,
    end: Bound,
    snapshot: dict[int, int] | None,
) -> Part:
    low, _ = offsets.ends(SIGNALS.name, partition)
    first = offsets.offset(SIGNALS.name, partition, start)
    last = offsets.offset(SIGNALS.name, partition, end)
    begin = low if snapshot is None else snapshot.get(partition, low)
    if snapshot is not None and not low <= begin <= first:
        raise StartError(
            f"the snapshot knows {SIGNALS.name}[{partition}] up to offset {begin}; "
            f"expected from {low} to {first}, where the window begins"
        )
    return Part(Range(SIGNALS.name, partition, begin, max(last, first), low), first)


def _uploader_of(
    access: KafkaAccess, content: str, said: tuple[Range, ...], codec: Codec
) -> str:
    """Find who uploaded a content, by a decision on it."""
    part = said[partition_of(content, len(said))]
    for record in read_range(access, part, {content.encode()}):
        try:
            return codec.decode(record.value, RiskDecision).uploader_id
        except CodecError:
            continue
    raise StartError(
        f"no decision on content {content!r} is on {DECISION.name}; check the id, or "
        "look for it with `headgate dlq list`"
    )
