"""Follows the topic of banks: every entry before the worker starts, each change after.

Without a consumer group: every worker reads all of it.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic

from encoders.bank_entries import KnownHash
from encoders.banks import Bank
from encoders.live_bank import Change, LiveBank
from schemas.codec import Codec
from schemas.records import BankEntry
from schemas.topics import BANK_ENTRY
from streams.bank_topic import changes_by_bank, known_hash, read_entry
from streams.cluster import places_of
from streams.errors import EventError, HeadgateError
from streams.kafka_access import Kafka
from streams.kafka_tail import tail
from streams.ledger import TopicPartition
from streams.messages import Record
from streams.retries import backoff_s

# Changes are gathered for this long, for many cost little more than one; an entry is
# looked for that much later.
GATHER_S = 0.2
_GATHER_RECORDS = 500
_LONG_S = 60.0  # Who followed for that long starts with short pauses again.
Note = Callable[..., None]
Entry = tuple[str, str, BankEntry | None]
# Is given new entries, or None where any may be new; from the follower's thread.
Hears = Callable[[Sequence[KnownHash] | None], None]


class BankFollower:
    """The banks of the topic, as they are now; a thread keeps them so until `close`."""

    def __init__(self, kafka: Kafka, codec: Codec, note: Note) -> None:
        """Read the topic to its end; blocks, a million entries take a minute.

        `note` is told of entries that can't be used, by place and reason.

        Raises:
            StartError: the broker does not answer, or there is no such topic.
            TransientError: reading failed on the way.
        """
        self._kafka, self._codec, self._note = kafka, codec, note
        self._next: dict[TopicPartition, int] = {}
        self._live: dict[str, LiveBank] = {}
        self._problem: str | None = None
        self._hears: Hears = lambda entries: None
        self._over = threading.Event()
        self._load()
        self._thread = threading.Thread(target=self._run, name="banks", daemon=True)
        self._thread.start()

    def banks(self) -> tuple[Bank, ...]:
        """Return every bank that has entries, by name; never blocks."""
        live = self._live
        return tuple(live[name].now() for name in sorted(live) if len(live[name]))

    def tell(self, hears: Hears) -> None:
        """Tell somebody of entries from now on, once the banks know them."""
        self._hears = hears

    def problems(self) -> list[str]:
        """Return why the banks may be behind their topic; empty while they follow."""
        return [] if self._problem is None else [self._problem]

    def close(self) -> None:
        """Stop following; the banks stay as they are."""
        self._over.set()
        self._thread.join()

    def _load(self) -> None:
        """Read all there is; the banks are replaced when it is read."""
        self._next = dict.fromkeys(places_of(self._kafka, BANK_ENTRY.name), 0)
        records = tail(self._kafka, [BANK_ENTRY.name], until_end=True)
        self._live = {
            name: LiveBank(name, _last_of_each(changes))
            for name, changes in changes_by_bank(self._entries(records)).items()
        }

    def _run(self) -> None:
        attempt, whole = 0, True
        while not self._over.is_set():
            started_s = monotonic()
            try:
                if not whole:
                    self._load()
                    whole = True
                    self._hears(None)
                self._follow()
                continue
            except HeadgateError as error:
                why = str(error)
            except Exception as error:
                # Of what was read, some may not be in the banks: read all anew.
                why, whole = type(error).__name__, False
            self._problem = f"{BANK_ENTRY.name} can't be followed: {why}"
            self._note("banks_behind", reason=why)
            attempt = 1 if monotonic() - started_s > _LONG_S else attempt + 1
            self._over.wait(backoff_s(attempt))

    def _follow(self) -> None:
        """Apply changes as they come, until closed."""
        waiting: list[Entry] = []
        applied_s = monotonic()

        def apply_what_is_due() -> bool:
            nonlocal applied_s
            late = monotonic() - applied_s > GATHER_S
            if late or len(waiting) >= _GATHER_RECORDS:
                self._change(waiting)
                waiting.clear()
                self._problem, applied_s = None, monotonic()
            return self._over.is_set()

        records = tail(
            self._kafka,
            [BANK_ENTRY.name],
            start=dict(self._next),
            stop_when=apply_what_is_due,
        )
        try:
            for entry in self._entries(records):
                waiting.append(entry)
        finally:
            self._change(waiting)

    def _entries(self, records: Iterable[Record]) -> Iterator[Entry]:
        for record in records:
            try:
                yield read_entry(self._codec, record)
            except EventError as error:
                self._note(
                    "bank_entry_refused",
                    topic=record.topic,
                    partition=record.partition,
                    offset=record.offset,
                    reason=error.code,
                )
            self._next[record.topic, record.partition] = record.offset + 1

    def _change(self, entries: Sequence[Entry]) -> None:
        live = dict(self._live)
        for name, changes in changes_by_bank(entries).items():
            live[name] = live.get(name) or LiveBank(name)
            live[name].apply(changes)
        self._live = live
        added = [known_hash(entry) for *_, entry in entries if entry is not None]
        if added:
            self._hears(added)


def _last_of_each(changes: Iterable[Change]) -> list[KnownHash]:
    """Return the entries that are left after all changes."""
    known = dict(changes)
    return [entry for entry in known.values() if entry is not None]
