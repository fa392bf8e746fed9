"""Sweeps what was seen before when a bank learns something new; edge, in `judge`.

Reads the partitions of content.signals.v1 that this worker judges, from the window's
beginning, beside the consumer group: what it knows can always be read again. What a
bank entry matches and nobody told yet goes back to the same partition as SWEPT signals,
which `judge` decides on like on any others.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

from encoders.bank_entries import KnownHash
from schemas.codec import Codec
from schemas.records import ContentSignals, Stage
from schemas.topics import SIGNALS
from streams.errors import EventError
from streams.messages import Output, Record
from streams.partition_reader import PartitionReader
from streams.retries import keep_on
from streams.seen_hashes import SeenHashes
from streams.stage import Producer, write_confirmed
from streams.sweep import FindMatches, Sweep
from streams.telemetry import EventLog
from streams.wire import decode_value, signals_output

# Bits that a match may differ by; other algorithms are looked for by reading again.
DISTANCES = {"sha256": 0, "pdq": 31}
IDLE_S = 0.2
# While it reads the past it works a third of the time: judging goes first.
REST = 2.0
EXPIRE_EVERY_S = 3600.0
OpenReader = Callable[[int, datetime], PartitionReader]


@dataclass(slots=True)
class _Part:
    """One partition: what was seen of it, and how far."""

    reader: PartitionReader
    sweep: Sweep
    seen: SeenHashes
    started_s: float
    caught_up: bool = False
    expired_s: float = field(default_factory=monotonic)
    # Offsets of uploads to look at (again) once everything behind them is known.
    due: set[int] = field(default_factory=set)

    def reread(self) -> None:
        """Look at every upload again; what was swept is known by then."""
        self.reader.rewind()
        self.caught_up = False


class Sweeper:
    """Keeps the index of the partitions it was given and emits what banks missed."""

    def __init__(
        self,
        *,
        open_reader: OpenReader,
        codec: Codec,
        producer: Producer,
        matches: FindMatches,
        window: timedelta,
        most_hashes: int,
        log: EventLog,
    ) -> None:
        """Prepare.

        Args:
            open_reader: opens a partition of content.signals.v1 from a time on.
            codec: decodes signals.
            producer: writes SWEPT signals.
            matches: finds hashes in the banks as they are now.
            window: how far back uploads are swept.
            most_hashes: hashes kept of a partition, 49 bytes each.
            log: tells what was swept.
        """
        self._open_reader = open_reader
        self._codec = codec
        self._producer = producer
        self._matches = matches
        self._window = window
        self._most_hashes = most_hashes
        self._log = log
        self._wanted: frozenset[int] = frozenset()
        self._parts: dict[int, _Part] = {}
        self._news: list[KnownHash] = []
        self._all_new = False

    def assign(self, partitions: Iterable[int]) -> None:
        """Be told which partitions are ours now; those kept are not read again."""
        self._wanted = frozenset(partitions)

    def hear(self, entries: Sequence[KnownHash] | None) -> None:
        """Be told of bank entries that are new, None: any may be; from any thread."""
        if entries is None:
            self._all_new = True
        else:
            self._news.extend(entries)

    async def run(self) -> None:
        """Sweep until cancelled; a broker that is away is waited for."""
        await keep_on(
            self._step,
            self._let_go_of_all,  # They are read anew, from the start.
            lambda why: self._log.note("sweep_behind", reason=why),
        )

    async def _step(self) -> None:
        await self._let_go([p for p in self._parts if p not in self._wanted])
        news, self._news = self._news, []
        reread, self._all_new = self._all_new, False
        for number in sorted(self._wanted):
            if number not in self._parts:
                self._parts[number] = await asyncio.to_thread(self._open, number)
        worked_s = 0.0
        for number, part in self._parts.items():
            started_s = monotonic()
            swept = await asyncio.to_thread(self._advance, number, part, news, reread)
            worked_s += monotonic() - started_s
            for output, signals in swept:
                await write_confirmed(self._producer, output)
                part.sweep.note(signals)
                self._tell(signals)
        is_behind = any(not part.caught_up for part in self._parts.values())
        await asyncio.sleep(worked_s * REST if is_behind else IDLE_S)

    def _open(self, number: int) -> _Part:
        reader = self._open_reader(number, datetime.now(UTC) - self._window)
        return _Part(
            reader,
            Sweep(self._matches, self._window),
            SeenHashes(self._most_hashes),
            monotonic(),
        )

    def _advance(
        self, number: int, part: _Part, news: Sequence[KnownHash], reread: bool
    ) -> list[tuple[Output, ContentSignals]]:
        """Read on, then look at what is due; blocks."""
        if reread or any(known.algorithm not in DISTANCES for known in news):
            part.reread()
        for known in news:
            if known.algorithm in DISTANCES:
                bits = DISTANCES[known.algorithm]
                part.due.update(part.seen.near(known.algorithm, known.value, bits))
        for record in part.reader.read():
            self._take(part, record)
        if monotonic() - part.expired_s > EXPIRE_EVERY_S:
            self._expire(part)
        if not part.caught_up and part.reader.at_end:
            part.caught_up = True
            self._tell_caught_up(number, part)
        if not part.caught_up:
            return []
        due, part.due = sorted(part.due), set()
        looked = (self._missed(part, part.reader.fetch(offset)) for offset in due)
        return [found for found in looked if found is not None]

    def _expire(self, part: _Part) -> None:
        now = datetime.now(UTC)
        part.expired_s = monotonic()
        part.sweep.expire(now)
        part.seen.expire(int((now - self._window).timestamp() * 1000))

    def _take(self, part: _Part, record: Record) -> None:
        signals = self._decoded(record)
        if signals is None:
            return
        part.sweep.note(signals)
        is_new = record.offset >= part.reader.next_new  # Not one that is read again.
        if is_new and signals.stage is Stage.COMPLETE:
            part.seen.add(record.offset, record.timestamp_ms, signals.hashes)
        if part.sweep.missed(signals, datetime.now(UTC)) is not None:
            part.due.add(record.offset)

    def _missed(
        self, part: _Part, record: Record | None
    ) -> tuple[Output, ContentSignals] | None:
        signals = None if record is None else self._decoded(record)
        if record is None or signals is None:
            return None  # Retention was faster.
        swept = part.sweep.missed(signals, datetime.now(UTC))
        if swept is None:
            return None
        return signals_output(self._codec, SIGNALS.name, swept, record), swept

    def _decoded(self, record: Record) -> ContentSignals | None:
        # What can't be decoded is `judge`'s to bury, and was.
        with suppress(EventError):
            return decode_value(self._codec, record, ContentSignals)
        return None

    async def _let_go_of_all(self) -> None:
        await self._let_go(list(self._parts))

    async def _let_go(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            await asyncio.to_thread(self._parts.pop(number).reader.close)

    def _tell(self, swept: ContentSignals) -> None:
        self._log.note(
            "swept",
            content_id=swept.event.content_id,
            entries=[f"{entry.bank}/{entry.entry_id}" for entry in swept.sweep],
        )

    def _tell_caught_up(self, number: int, part: _Part) -> None:
        self._log.note(
            "sweep_caught_up",
            partition=number,
            hashes=len(part.seen),
            seconds=round(monotonic() - part.started_s, 3),
        )
