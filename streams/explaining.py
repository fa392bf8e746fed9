"""Which words carried a text's risk: what its probability loses without them.

Occlusion: the text is read again without each sentence, then without each word of the
sentence that carried most. Beside the pipeline, for reviewers: a decision's evidence
names the stretch of text, since the judge has no encoder to read parts of it with.

What is left out is never certain to be the cause: two sentences that each suffice hide
one another, which is why each is also read alone.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.language import language_of
from encoders.normalise import Normalised, normalise
from encoders.signals import Span
from encoders.text import TextEncoder
from schemas.records import Category
from streams.scorers.base import is_read
from streams.scorers.text_risk import EVIDENCE_FLOOR, TextRisk

# Sentences of a text, and words of a sentence, that are left out one by one; of more,
# neighbours are left out together. A window of 256 tokens holds some 15 sentences.
MOST_PARTS: Final = 32
MOST_CATEGORIES: Final = 3
# What one text may cost beside its windows, in texts that the encoder reads: sentences
# left out and alone, which all categories share, and words, which they may not.
MOST_READINGS: Final = 2 * MOST_PARTS + MOST_CATEGORIES * MOST_PARTS

_SENTENCE: Final = re.compile(
    r"\S.*?(?:[.!?…。！？]+[\"'”’)\]]*(?=\s|$)|(?=\n)|$)", re.S
)
_WORD: Final = re.compile(r"\S+")

# Texts to one category's probabilities, float64, shape (n_texts,).
Risk = Callable[[Sequence[str]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence or some words, and what they did to the probability."""

    span: Span
    drop: float  # The probability less that without the part; below 0: it soothes.
    alone: float | None = None  # Of the part by itself; sentences only.


@dataclass(frozen=True, slots=True)
class Explanation:
    """What carried one category in one window of a text; the largest drop first.

    Spans are of the whole text as it was written; `read` is the window as the models
    read it, where that differs.
    """

    category: Category
    probability: float
    window: Span
    sentences: tuple[Part, ...]
    words: tuple[Part, ...]  # Of the first sentence.
    read: str | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A window that no probability speaks about, since the head doesn't read it."""

    window: Span
    language: str


def explain(
    whole: str, encoder: TextEncoder, head: TextRisk
) -> tuple[tuple[Explanation, ...], tuple[Unread, ...]]:
    """Explain the window that each risky category owes its probability to.

    Every category from EVIDENCE_FLOOR up, MOST_CATEGORIES at most; the highest where
    none is. None at all for a blank text, or one that the head doesn't read. Beside the
    windows themselves the encoder reads MOST_READINGS texts at most.
    """
    plain = normalise(whole, encoder.words)
    windows, unread = _readable(plain, encoder, head.languages)
    if not windows:
        return (), unread

    def risks(texts: Sequence[str]) -> NDArray[np.float64]:
        return head.probabilities(encoder.embed(texts))

    table = risks([_cut(plain.text, window) for window in windows])
    explained = []
    for column in _worth_explaining(table.max(axis=0)):
        window = windows[int(table[:, column].argmax())]
        parts = carriers(_cut(plain.text, window), _column(risks, column))
        category, risk = head.categories[column], float(table[:, column].max())
        explained.append(_explanation(category, risk, window, parts, plain, whole))
    return tuple(explained), unread


def _readable(
    plain: Normalised, encoder: TextEncoder, languages: frozenset[str] | None
) -> tuple[list[Span], tuple[Unread, ...]]:
    windows, unread = [], []
    for window in encoder.split(plain.text):
        language = language_of(_cut(plain.text, window))
        if is_read(language, languages):
            windows.append(window)
        else:
            unread.append(Unread(plain.raw_span(window), str(language)))
    return windows, tuple(unread)


def _explanation(
    category: Category,
    risk: float,
    window: Span,
    parts: tuple[tuple[Part, ...], tuple[Part, ...]],
    plain: Normalised,
    whole: str,
) -> Explanation:
    """Move the parts, which are of the window as read, to the text as written."""
    sentences, words = (
        tuple(_moved(part, window, plain.raw_span) for part in some) for some in parts
    )
    raw, read = plain.raw_span(window), _cut(plain.text, window)
    shown = None if read == _cut(whole, raw) else read
    return Explanation(category, risk, raw, sentences, words, shown)


def carriers(text: str, risk: Risk) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return a text's sentences, and the words of the first: the largest drop first.

    Reads at most 1 + 3 * MOST_PARTS texts, in three calls. The only sentence of a text,
    or its only word, carries all of it, with nothing left to read.
    """
    (whole,) = risk([text])
    sentences = _found(_SENTENCE, text, Span(0, len(text)))
    drops = _drops(text, sentences, risk, float(whole))
    alone = risk([_cut(text, span) for span in sentences])
    parts = [
        Part(span, drop, float(own))
        for span, drop, own in zip(sentences, drops, alone, strict=True)
    ]
    by_sentence = tuple(sorted(parts, key=lambda part: -part.drop))
    words = _found(_WORD, text, by_sentence[0].span)
    losses = _drops(text, words, risk, float(whole))
    by_word = [Part(span, drop) for span, drop in zip(words, losses, strict=True)]
    return by_sentence, tuple(sorted(by_word, key=lambda part: -part.drop))


def _drops(text: str, spans: list[Span], risk: Risk, whole: float) -> list[float]:
    rest = [text[: s.start_char] + text[s.end_char :] for s in spans]
    left = [at for at, words in enumerate(rest) if words.strip()]
    drops = dict.fromkeys(range(len(spans)), whole)
    if left:
        without = risk([" ".join(rest[at].split()) for at in left])
        drops |= {at: whole - float(p) for at, p in zip(left, without, strict=True)}
    return [round(drops[at], 4) for at in range(len(spans))]  # As probabilities are.


def _cut(text: str, span: Span) -> str:
    return text[span.start_char : span.end_char]


def _found(pattern: re.Pattern[str], text: str, within: Span) -> list[Span]:
    """Return the pattern's matches; of more than MOST_PARTS, neighbours as one."""
    found = [
        m.span() for m in pattern.finditer(text, within.start_char, within.end_char)
    ]
    together = -(-len(found) // MOST_PARTS)
    groups = [found[at : at + together] for at in range(0, len(found), together or 1)]
    return [Span(group[0][0], group[-1][1]) for group in groups]


def _worth_explaining(highest: NDArray[np.float64]) -> list[int]:
    order = [int(column) for column in np.argsort(-highest, kind="stable")]
    risky = [column for column in order if highest[column] >= EVIDENCE_FLOOR]
    return risky[:MOST_CATEGORIES] or order[:1]


def _column(risks: Callable[[Sequence[str]], NDArray[np.float64]], column: int) -> Risk:
    return lambda texts: risks(texts)[:, column]


def _moved(part: Part, window: Span, raw_span: Callable[[Span], Span]) -> Part:
    start = window.start_char
    span = Span(part.span.start_char + start, part.span.end_char + start)
    return replace(part, span=raw_span(span))
