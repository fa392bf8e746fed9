"""How a text is read before a model does: its disguises undone, cut, its language told.

Beside `understand`. What was found in a text is kept for the next copy of it, unless it
was in disguise: then what it says would have to be kept with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from encoders.embedding_cache import RecentlyUsed, text_key
from encoders.language import language_of
from encoders.normalise import normalise
from encoders.text import TextEncoder
from schemas.records import TextSignal

_MOST_PARTS: Final = 8  # Of a text that is kept; a novel is not sent by the thousand.


@dataclass(frozen=True, slots=True)
class _Part:
    """Where a part of a text stands, in code points, and what was found of it."""

    start_char: int | None
    end_char: int | None
    evasion: float
    language: str | None


class TextReading:
    """Reads texts as a text model is given them."""

    def __init__(self, model: TextEncoder) -> None:
        self._model = model
        self._known: RecentlyUsed[tuple[_Part, ...]] = RecentlyUsed()

    def parts(self, source: str, whole: str) -> list[TextSignal]:
        """Return the parts of a text that each fit the model's window."""
        key = text_key(self._model.model.sha256, whole)
        known = self._known.get(key)
        if known is not None:
            return [_as_it_is(source, whole, part) for part in known]
        parts = list(self._cut(source, whole))
        is_plain = all(part.normalised is None for part in parts)
        if is_plain and len(parts) <= _MOST_PARTS:
            self._known.put(key, _without_text(parts))
        return parts

    def _cut(self, source: str, whole: str) -> Iterator[TextSignal]:
        """Normalise a text, then cut it: what is cut must fit as the model reads it."""
        plain = normalise(whole, self._model.words)
        for span in self._model.split(plain.text):
            raw = plain.raw_span(span)
            text = whole[raw.start_char : raw.end_char]
            read = plain.text[span.start_char : span.end_char]
            yield TextSignal(
                source=source,
                text=text,
                start_char=raw.start_char,
                end_char=raw.end_char,
                normalised=None if read == text else read,
                evasion=plain.evasion,
                language=language_of(read),
            )


def _as_it_is(source: str, whole: str, part: _Part) -> TextSignal:
    return TextSignal(
        source=source,
        text=whole[part.start_char : part.end_char],
        start_char=part.start_char,
        end_char=part.end_char,
        evasion=part.evasion,
        language=part.language,
    )


def _without_text(parts: Sequence[TextSignal]) -> tuple[_Part, ...]:
    return tuple(
        _Part(part.start_char, part.end_char, part.evasion, part.language)
        for part in parts
    )
