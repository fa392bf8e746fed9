"""What an upload is like from outside, in few numbers: its length and its title's form.

`history` keeps the last ones of each uploader, scorers compare with them. All in whole
hundredths, so that every processor computes the same.
"""

import math
import re
import struct
import unicodedata
import zlib
from dataclasses import dataclass
from functools import lru_cache

from schemas.records import ContentSignals, Kind
from streams.active_days import day_of

KEPT_PATTERNS = 64
PER_DAY = 4  # Ours: sixteen days of flood at least, before nothing else is remembered.
TITLE = "title"  # The text that counts.
NONE = -1  # In place of a number that can't be known.
_READ_CHARS = 1000  # Of a title's form; its length counts whole.
_MOST = 2**15 - 1
_ROW = struct.Struct("<iB5hI")
_KINDS = {kind: number for number, kind in enumerate(Kind)}  # As in the Avro enum.

# A domain's label has at most 63 characters (RFC 1035), which also bounds the search.
_LINK = re.compile(
    r"(?:https?://|\bwww\.)\S+|\b[\w-]{1,63}\.(?:com|net|org|info|io|co|me|gg|ly|link|"
    r"site|shop|app|top|xyz|ru|club|live)\b",
    re.IGNORECASE,
)
_SAID = re.compile(r"[.,;!?'\"’‘“”…]+")  # Of the sentence, not of the template.
_LETTERS = re.compile(r"[^\W\d_]+(?:\s+[^\W\d_]+)*")
_NUMBER = re.compile(r"\d+")
_SYMBOLS = re.compile(r"[^\x00-\x7f]+")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One upload's outside, in hundredths; `NONE` where there is no such part.

    A hundred is what counts as one step of unlikeness: twice as long, a quarter of the
    title more digits, a third more capitals, a third of a link.
    """

    day: int  # Since 1970-01-01, UTC.
    kind: int
    duration: int  # 100 · log2(1 + seconds) of the longest sound or video.
    length: int  # 100 · log2(1 + characters) of the title.
    digits: int  # 400 · share of the title's characters.
    capitals: int  # 300 · share of its letters.
    links: int  # 300 · log2(1 + links in it).
    template: int  # A checksum of its form; see `template_of`.

    @property
    def group(self) -> tuple[int, bool, bool]:
        """What two patterns must share to be comparable."""
        return self.kind, self.duration == NONE, self.length == NONE


def pattern_of(signals: ContentSignals) -> Pattern | None:
    """Return the upload's pattern; None without a length and without a title."""
    event = signals.event
    title = dict(event.texts).get(TITLE)
    duration_s = max((s for s in _durations_s(signals)), default=None)
    if title is None and duration_s is None:
        return None
    return Pattern(
        day_of(event.event_time),
        _KINDS[event.kind],
        NONE if duration_s is None else _octaves(duration_s),
        *(_title_numbers(title) if title is not None else (NONE,) * 4 + (0,)),
    )


def template_of(title: str) -> str:
    """Return a title's form: words as `a`, numbers as `9`, symbols as `*`.

    "Artist - Title #12" is "a - a #9". Marks of the sentence don't count.
    """
    title = title[:_READ_CHARS]
    if not title.isascii():
        plain = unicodedata.normalize("NFKC", title)
        title = "".join(c for c in plain if unicodedata.category(c)[0] != "M")
    form = _LETTERS.sub("a", _SAID.sub("", title))
    return " ".join(_SYMBOLS.sub("*", _NUMBER.sub("9", form)).split())


def unpack_patterns(packed: bytes) -> tuple[Pattern, ...]:
    """Read the patterns, oldest day first; none from what can't be rows."""
    if len(packed) % _ROW.size:
        return ()
    return tuple(Pattern(*row) for row in _ROW.iter_unpack(packed))


def with_pattern(packed: bytes, signals: ContentSignals) -> bytes:
    """Return the patterns with this upload's: the newest 64, at most four of a day."""
    added = pattern_of(signals)
    if added is None:
        return packed
    known = unpack_patterns(packed)
    if sum(pattern.day == added.day for pattern in known) >= PER_DAY:
        return packed
    rows = sorted((*known, added), key=lambda row: row.day)[-KEPT_PATTERNS:]
    return b"".join(_pack(row) for row in rows)


def _durations_s(signals: ContentSignals) -> list[float]:
    told = (fact.duration_s for fact in signals.media)
    return [s for s in told if s is not None and math.isfinite(s) and s >= 0]


@lru_cache(maxsize=4)  # A scorer and learning ask for the same upload's in turn.
def _title_numbers(title: str) -> tuple[int, int, int, int, int]:
    read = title[:_READ_CHARS]
    letters = sum(map(str.isalpha, read))
    capitals = sum(map(str.isupper, read))
    return (
        _octaves(len(title)),
        round(400 * sum(map(str.isdigit, read)) / max(1, len(read))),
        round(300 * capitals / max(1, letters)),
        min(_MOST, 3 * _octaves(len(_LINK.findall(read)))),
        zlib.crc32(template_of(title).encode("utf-8", "surrogatepass")),
    )


def _octaves(size: float) -> int:
    """Return 100 · log2(1 + size), which two processors can't round apart unseen."""
    return min(_MOST, round(100 * math.log2(1.0 + size)))


def _pack(row: Pattern) -> bytes:
    return _ROW.pack(
        *(row.day, row.kind, row.duration, row.length),
        *(row.digits, row.capitals, row.links, row.template),
    )
