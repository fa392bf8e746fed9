"""Headers of what was sent round again, and of the notes about it.

A redriven record names the place it first stood at. Beside its dead letter, on the same
partition, lie two notes without key or value: one before it is sent, one after; so they
last as long as the letter and are read with it.
"""

from dataclasses import dataclass
from typing import Literal, cast

from schemas.dead_letter import Origin, without_story
from schemas.headers import Header, Headers, header_map
from schemas.place import Place

REDRIVE_OF = "x-redrive-of"
_STATE = "x-dlq-redrive"
_OF = "x-dlq-redrive-of"
_END = "x-dlq-redrive-end"

NoteState = Literal["begun", "done"]


@dataclass(frozen=True, slots=True)
class RedriveNote:
    """What was done about the record that first stood at `of`."""

    of: Place
    state: NoteState
    end: int  # Its partition's end before it was sent: from here on it is to be found.


def place_of(origin: Origin) -> Place:
    """Return where the original of a dead letter stands."""
    return Place(origin.topic, origin.partition, origin.offset)


def redriven_headers(letter: Headers, of: Place) -> list[Header]:
    """Return the headers to send a dead letter round with: the original's, and whose.

    Of one that was sent round before, the last time counts.
    """
    kept = [h for h in without_story(letter) if h[0].lower() != REDRIVE_OF]
    return [*kept, (REDRIVE_OF, str(of).encode())]


def redrive_of(headers: Headers) -> Place | None:
    """Return the place that a redriven record first stood at; None if it isn't one."""
    return _place(header_map(headers).get(REDRIVE_OF, b""))


def note_headers(note: RedriveNote) -> list[Header]:
    """Build a note's headers."""
    return [
        (_STATE, note.state.encode()),
        (_OF, str(note.of).encode()),
        (_END, str(note.end).encode()),
    ]


def parse_note(headers: Headers) -> RedriveNote | None:
    """Read a note; None when the headers are not those of one."""
    named = header_map(headers)
    of, state = _place(named.get(_OF, b"")), named.get(_STATE, b"")
    end = named.get(_END, b"")
    if of is None or state not in (b"begun", b"done") or not end.isdigit():
        return None
    return RedriveNote(of, cast(NoteState, state.decode()), int(end))


def _place(text: bytes) -> Place | None:
    topic, _, rest = text.decode(errors="replace").partition("/")
    partition, _, offset = rest.partition("/")
    if not (topic and partition.isdecimal() and offset.isdecimal()):
        return None
    return Place(topic, int(partition), int(offset))
