"""The dead letters as an operator sees them: one for each original, and what became.

Values are not kept: a list of ten thousand letters must not need their gigabytes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from schemas.dead_letter import Failure, Origin, parse_dead_letter
from schemas.errors import CodecError
from schemas.place import Place
from schemas.redrive import RedriveNote, parse_note, place_of
from schemas.topics import dead_letter_topic
from streams.messages import Record

# in_doubt: a redrive was begun and not seen to end.
State = Literal["waiting", "in_doubt", "redriven"]


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter, without its bytes."""

    at: Place  # Where the letter itself lies.
    when: datetime | None
    origin: Origin
    failure: Failure
    value_bytes: int

    @property
    def of(self) -> Place:
        """Where the original stands."""
        return place_of(self.origin)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are asked for; None: any."""

    reason: str | None = None
    stage: str | None = None
    since: datetime | None = None
    until: datetime | None = None  # Not included.

    def takes(self, letter: Letter) -> bool:
        """Whether a letter is asked for; one without a time is, at any time."""
        return (
            self.reason in (None, letter.failure.reason)
            and self.stage in (None, letter.failure.stage)
            and (self.since is None or not letter.when or letter.when >= self.since)
            and (self.until is None or not letter.when or letter.when < self.until)
        )


@dataclass(slots=True)
class Desk:
    """Letters by their original, the notes about them, and what is none of both."""

    letters: dict[Place, Letter] = field(default_factory=dict)
    notes: dict[Place, RedriveNote] = field(default_factory=dict)
    copies: int = 0  # Letters of an original that has one: a crash repeats them.
    unreadable: int = 0  # Not ours, or not about the topic that the letter lies by.

    def add(self, record: Record) -> None:
        """Take in one record of a dead letter topic."""
        note = parse_note(record.headers)
        if note is not None:
            self._note(note)
            return
        letter = _letter(record)
        if letter is None:
            self.unreadable += 1
        elif letter.of in self.letters:
            self.copies += 1
        else:
            self.letters[letter.of] = letter

    def state(self, letter: Letter) -> State:
        """Return what became of a letter."""
        note = self.notes.get(letter.of)
        if note is None:
            return "waiting"
        return "redriven" if note.state == "done" else "in_doubt"

    def choose(self, wanted: Wanted) -> list[Letter]:
        """Return the letters asked for, oldest first."""
        chosen = [letter for letter in self.letters.values() if wanted.takes(letter)]
        return sorted(chosen, key=_age)

    def _note(self, note: RedriveNote) -> None:
        known = self.notes.get(note.of)
        # Of several tries the first says from where on to look; and "done" stays, even
        # when the letter was sent again on purpose.
        if known is None or (known.state, note.state) == ("begun", "done"):
            self.notes[note.of] = note


def read_desk(records: Iterable[Record]) -> Desk:
    """Sort the records of dead letter topics."""
    desk = Desk()
    for record in records:
        desk.add(record)
    return desk


@dataclass(slots=True)
class Group:
    """Letters of one topic, stage and reason."""

    topic: str
    stage: str
    reason: str
    first: datetime | None
    last: datetime | None
    states: "Counter[State]" = field(default_factory=Counter)


def grouped(desk: Desk, letters: Iterable[Letter]) -> Iterator[Group]:
    """Count letters, given oldest first, by topic, stage and reason."""
    groups: dict[tuple[str, str, str], Group] = {}
    for letter in letters:
        key = (letter.origin.topic, letter.failure.stage, letter.failure.reason)
        group = groups.setdefault(key, Group(*key, letter.when, letter.when))
        group.last = letter.when
        group.states[desk.state(letter)] += 1
    yield from (groups[key] for key in sorted(groups))


def by_place(letters: Iterable[Letter]) -> Mapping[Place, Letter]:
    """Return letters by where they themselves lie."""
    return {letter.at: letter for letter in letters}


def _letter(record: Record) -> Letter | None:
    try:
        origin, failure = parse_dead_letter(record.headers)
    except CodecError:
        return None
    # Headers are data: they may not send a record to a topic of their choice.
    if dead_letter_topic(origin.topic) != record.topic:
        return None
    size = len(record.value or b"")
    return Letter(record.place, record.arrived_at, origin, failure, size)


def _age(letter: Letter) -> tuple[float, str]:
    when = letter.when.timestamp() if letter.when else 0.0
    return when, f"{letter.at.topic}/{letter.at.partition:06}/{letter.at.offset:020}"
