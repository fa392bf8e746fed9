"""Replays one partition: in its order, to a checkpoint and on from there.

Runs in a process of its own; what it needs travels as a `Job`.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import monotonic
from typing import Any, BinaryIO, Final, Protocol

from schemas.codec import Codec
from schemas.dead_letter import parse_dead_letter
from schemas.errors import CodecError
from schemas.records import ContentSignals, UploaderHistory
from streams.errors import EventError
from streams.messages import Record
from streams.replay.outcome import Outcome, flip_line, outcome_line, unjudged_line
from streams.replay.recorded import Recorded, said_of
from streams.replay.rejudge import Item, Rejudged, Rejudging
from streams.replaying.files import Files, json_line, opened
from streams.replaying.ranges import Range
from streams.replaying.request import Part, Plan
from streams.replaying.said import Stop, Tell
from streams.replaying.state import PartitionState
from streams.wire import decode_value

# Between checkpoints; a kill does so much again.
CHECKPOINT_S: Final = 2.0
CHECKPOINT_RECORDS: Final = 2000
LOOK_RECORDS: Final = 100  # How often the clock and `stop` are looked at.

EVENT_GONE: Final = "its event is no longer on content.ingested.v1"

Fresh = Callable[[ContentSignals], ContentSignals | None]
Publish = Callable[[list[Rejudged]], None]


class Reading(Protocol):
    """Where the records of a replay come from: topics, or a capture."""

    def signals(self, part: Range, uploader: str | None) -> Iterator[Record]:
        """Yield signals in offset order, with `uploader` only theirs."""

    def letters(self, partition: int) -> Iterator[Record]:
        """Yield the dead letters of the signals of a partition."""


class Sayings(Protocol):
    """What was recorded, by content."""

    def of(self, content_id: str) -> tuple[Recorded, ...]:
        """Return every decision on a content."""


class PartitionReplay:
    """The replay of one partition."""

    def __init__(
        self,
        plan: Plan,
        part: Part,
        files: Files,
        *,
        reading: Reading,
        said: Sayings,
        codec: Codec,
        rejudging: Rejudging,
        state: PartitionState,
        fresh: Fresh | None = None,
        publish: Publish | None = None,
    ) -> None:
        """Prepare.

        Args:
            plan: of the whole run.
            part: which records.
            files: where the results go.
            reading: where records come from.
            said: the recorded decisions.
            codec: of the topics' values.
            rejudging: judges; its `last` version is part of the checkpoint.
            state: histories and place.
            fresh: understands the upload again; None: by the recorded signals. Gives
                None where that can't be done.
            publish: writes decisions to a topic; may be told the same twice.
        """
        self._plan, self._part, self._files = plan, part, files
        self._reading, self._said, self._codec = reading, said, codec
        self._rejudging, self._state = rejudging, state
        self._fresh, self._publish = fresh, publish
        self._unpublished: list[Rejudged] = []

    def run(self, stop: Stop, tell: Tell) -> bool:
        """Replay up to the end, or until `stop` says so; whether it got there.

        Raises:
            TransientError: the broker went away; what was checkpointed stays.
        """
        facts = self._state.facts
        if not facts.buried_read:
            number = self._part.read.partition
            self._state.bury(buried_in(self._reading, number))
        if facts.last is not None:
            self._rejudging.last = facts.last
        rest = Range(
            self._part.read.topic,
            self._part.read.partition,
            facts.next_offset,
            self._part.read.end,
        )
        with (
            opened(self._files.lines, facts.lines_bytes) as lines,
            opened(self._files.flips, facts.flips_bytes) as flips,
        ):
            return self._follow(rest, lines, flips, stop, tell)

    def _follow(
        self, rest: Range, lines: BinaryIO, flips: BinaryIO, stop: Stop, tell: Tell
    ) -> bool:
        saved_s, since, told = monotonic(), 0, rest.start
        for record in self._reading.signals(rest, self._plan.uploader):
            self._one(record, lines, flips)
            since += 1
            if since % LOOK_RECORDS:
                continue
            tell(record.offset + 1 - told)
            told = record.offset + 1
            due = since >= CHECKPOINT_RECORDS or monotonic() - saved_s > CHECKPOINT_S
            if due or stop():
                self._checkpoint(told, lines, flips)
                saved_s, since = monotonic(), 0
            if stop():
                return False
        self._checkpoint(rest.end, lines, flips)
        tell(rest.end - told)
        return True

    def _checkpoint(self, next_offset: int, lines: BinaryIO, flips: BinaryIO) -> None:
        if self._publish is not None and self._unpublished:
            self._publish(self._unpublished)
        self._unpublished = []
        for file in (lines, flips):
            file.flush()
        facts = self._state.facts
        facts.next_offset = next_offset
        facts.lines_bytes, facts.flips_bytes = lines.tell(), flips.tell()
        facts.last = self._rejudging.last
        self._state.checkpoint()

    def _one(self, record: Record, lines: BinaryIO, flips: BinaryIO) -> None:
        is_before = record.offset < self._part.start
        reason = self._state.buried(record.offset)
        if reason is not None:  # Not decoded: it may be what killed a worker.
            if not is_before:
                self._unjudged(record, "buried", f"dead letter: {reason}", lines)
            return
        try:
            signals = decode_value(self._codec, record, ContentSignals)
        except EventError as error:
            if not is_before:
                self._unjudged(record, "unknown", f"no signals: {error.code}", lines)
            return
        self._judge(record, signals, is_before, lines, flips)

    def _judge(
        self,
        record: Record,
        signals: ContentSignals,
        is_before: bool,
        lines: BinaryIO,
        flips: BinaryIO,
    ) -> None:
        tally, event = self._state.facts.tally, signals.event
        content = self._said.of(event.content_id)
        item = Item(
            record.partition, record.offset, record.timestamp_ms, signals, content
        )
        history = self._state.history(event.uploader_id)
        if is_before or not self._is_asked_for(signals):
            self._warm(item, history)
            tally.warmed += 1
            return
        if self._fresh is not None:
            fresh = self._fresh(signals)
            if fresh is None:
                self._unjudged(record, "unknown", EVENT_GONE, lines)
                self._warm(item, history)
                return
            item = replace(item, fresh=fresh)
        rejudged = self._rejudging.judge(item, history)
        self._state.keep(rejudged.history)
        self._note_met(item, rejudged.decision)
        tally.add(rejudged.outcome)
        self._write(rejudged.outcome, lines, flips)
        if self._publish is not None and rejudged.decision is not None:
            self._unpublished.append(rejudged)

    def _warm(self, item: Item, history: UploaderHistory) -> None:
        self._state.keep(self._rejudging.warm(item, history))
        self._note_met(item)

    def _note_met(self, item: Item, decision: bytes | None = None) -> None:
        """Note the signals, and the words on them; equal bytes need no decoding."""
        content, signals = item.content, item.recorded
        equal = [one.value for one in content if one.value == decision]
        words = equal or [word.value for word in said_of(signals, content)]
        self._state.note_met(signals, words)

    def _is_asked_for(self, signals: ContentSignals) -> bool:
        contents = self._plan.contents
        return not contents or signals.event.content_id in contents

    def _unjudged(
        self, record: Record, result: Any, reason: str, lines: BinaryIO
    ) -> None:
        line = unjudged_line(
            record.partition, record.offset, record.timestamp_ms, result, reason
        )
        self._state.facts.tally.add_unjudged(line)
        lines.write(json_line(line))

    def _write(self, outcome: Outcome, lines: BinaryIO, flips: BinaryIO) -> None:
        lines.write(json_line(outcome_line(outcome)))
        if outcome.is_flip or outcome.result == "different":
            flips.write(json_line(flip_line(outcome)))


def buried_in(reading: Reading, partition: int) -> Iterator[tuple[int, str]]:
    """Yield which offsets of a partition became dead letters, and why."""
    for letter in reading.letters(partition):
        try:
            origin, failure = parse_dead_letter(letter.headers)
        except CodecError:
            continue  # A note that one was sent round again, say.
        if origin.partition == partition:
            yield origin.offset, failure.reason
