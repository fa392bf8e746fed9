"""Writes a window as a capture: scrubbed, and with all that its histories need.

A capture holds the window's signals, everything its uploaders did before it (so that
their histories are the same offline), the recorded decisions and who became a dead
letter, whose bytes stay out.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TextIO

from schemas.codec import Codec
from schemas.dead_letter import parse_dead_letter
from schemas.errors import CodecError
from schemas.records import ContentSignals, RiskDecision
from schemas.topics import DECISION, SIGNALS
from streams.captures import as_capture
from streams.errors import EventError, StartError
from streams.kafka_access import KafkaAccess
from streams.messages import Record
from streams.replay.recorded import said_of
from streams.replay.scrub import Scrub
from streams.replaying.captured import FORMAT
from streams.replaying.ranges import read_range
from streams.replaying.request import LETTERS, Part, Plan
from streams.replaying.tasks import SaidByContent, index_here
from streams.replaying.topics import TopicReading
from streams.wire import decode_value

# Of a window; whose ids are kept in memory. More is no bug report but an archive.
MOST_UPLOADERS: Final = 200_000


class Capturing:
    """Captures one planned window."""

    def __init__(
        self, access: KafkaAccess, plan: Plan, codec: Codec, scrub: Scrub
    ) -> None:
        self._access, self._plan = access, plan
        self._codec, self._scrub = codec, scrub
        self._reading = TopicReading(access, plan)
        self._said_before: set[bytes] = set()
        self.counts = {"signals": 0, "decisions": 0, "dead_letters": 0}

    def write(self, path: Path) -> dict[str, int]:
        """Write the file; return how many records of each kind it holds.

        It appears whole or not at all. Blocks.

        Raises:
            HeadgateError: the broker went away, or the window is too large.
        """
        draft = path.with_name(f"{path.name}.part")
        try:
            with (
                TemporaryDirectory() as folder,
                draft.open("w", encoding="utf-8") as file,
            ):
                said = index_here(self._access, self._plan, self._codec, Path(folder))
                for part in self._plan.parts:
                    for line in self._part(part, said):
                        _write(file, line)
                said.close()
                _write(file, self._head())
            draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)
        return self.counts

    def _part(self, part: Part, said: SaidByContent) -> Iterator[dict[str, Any]]:
        keys = self._uploaders(part)
        buried = set()
        for letter in self._reading.letters(part.read.partition):
            line, offset = self._letter(letter)
            if part.read.start <= offset < part.read.end:
                buried.add(offset)
                yield line
        for record in read_range(self._access, part.read, keys):
            if record.offset in buried:
                yield self._bare(record)
            else:
                yield from self._record(record, said)

    def _uploaders(self, part: Part) -> set[bytes]:
        """Return the keys of the window's uploaders."""
        window = replace(part.read, start=part.start)
        found: set[bytes] = set()
        for record in self._reading.signals(window, self._plan.uploader):
            found.add(record.key or b"")
            if len(found) > MOST_UPLOADERS:
                raise StartError(
                    f"the window has over {MOST_UPLOADERS} uploaders; narrow --from "
                    "and --to"
                )
        return found

    def _record(self, record: Record, said: SaidByContent) -> Iterator[dict[str, Any]]:
        try:
            signals = decode_value(self._codec, record, ContentSignals)
        except EventError:
            return  # Neither signals nor a dead letter yet.
        for one in said_of(signals, said.of(signals.event.content_id)):
            yield from self._decision(one.decision, signals, one.timestamp_ms)
        scrubbed = self._scrub.signals(signals)
        self.counts["signals"] += 1
        yield as_capture(
            Record(
                SIGNALS.name,
                record.partition,
                record.offset,
                record.timestamp_ms,
                scrubbed.event.uploader_id.encode(),
                self._codec.encode(scrubbed),
            )
        )

    def _decision(
        self, decision: RiskDecision, signals: ContentSignals, time_ms: int
    ) -> Iterator[dict[str, Any]]:
        scrubbed = self._scrub.decision(decision, signals)
        value = self._codec.encode(scrubbed)
        name = hashlib.blake2b(value, digest_size=16).digest()
        if name in self._said_before:  # A repeat's.
            return
        self._said_before.add(name)
        number = self.counts["decisions"]
        self.counts["decisions"] += 1
        key = scrubbed.content_id.encode()
        yield as_capture(Record(DECISION.name, 0, number, time_ms, key, value))

    def _bare(self, record: Record) -> dict[str, Any]:
        """Keep the place of what became a dead letter."""
        key = self._scrub.id((record.key or b"").decode(errors="replace")).encode()
        return as_capture(replace(record, key=key, value=None, headers=()))

    def _letter(self, letter: Record) -> tuple[dict[str, Any], int]:
        """Keep where a letter came from and why; its bytes may be anything."""
        try:
            origin, _ = parse_dead_letter(letter.headers)
        except CodecError:
            return {}, -1  # A note that one was sent round again.
        kept = tuple(h for h in letter.headers if h[0].startswith(("kafka_dlt", "x-")))
        self.counts["dead_letters"] += 1
        bare = Record(
            LETTERS,
            letter.partition,
            letter.offset,
            letter.timestamp_ms,
            None,
            None,
            kept,
        )
        return as_capture(bare), origin.offset

    def _head(self) -> dict[str, Any]:
        """The last line: what the capture holds; a file without it is not whole."""
        return {
            "format": FORMAT,
            "id": self._plan.id,
            "parts": [
                {
                    "partition": part.read.partition,
                    "read": part.read.start,
                    "start": part.start,
                    "end": part.read.end,
                    "low": part.read.low,
                }
                for part in self._plan.parts
            ],
            **self.counts,
        }


def _write(file: TextIO, line: dict[str, Any]) -> None:
    file.write(json.dumps(line, separators=(",", ":")) + "\n")
