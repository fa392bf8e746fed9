"""Scores uploads whose length and title are not built like their uploader's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.records import Category, ContentSignals, ModelUse, UploaderHistory
from streams.scorers.base import Score
from streams.upload_pattern import NONE, Pattern, pattern_of, unpack_patterns

NEIGHBOURS = 3  # As many uploads of a kind make it one of the uploader's kinds.
STEP = 100.0  # One step of `Pattern`: nobody repeats himself more closely than that.
OTHER_TEMPLATE = 200  # Two steps: a title of another form is as telling as 4 × as long.
USUAL_QUANTILE = 0.9  # One in ten of the past was further out than what is "usual".
TOLD = 3  # Differences that a reason names.


@dataclass(frozen=True, slots=True)
class PatternScorer:
    """How far an upload's outside is from the uploader's most alike ones.

    The distance is to the third nearest of the last uploads of the same kind, over
    length, title length, digits, capitals, links and template, in steps; so whoever
    has both trailers and episodes has two patterns, not one wide one. It is measured
    against how far nine tenths of those uploads are from theirs, one step at least:
    at r times that the value is (r-1)²/(1+(r-1)²), 0 up to r = 1, 0.9 at r = 4.
    Distance to neighbours instead of a mean: Ramaswamy et al., Efficient Algorithms
    for Mining Outliers, 2000. Zero until `grace_period` uploads of the kind are known;
    so a kind that is new to the uploader says nothing. Of made-up ordinary uploaders
    0.09 % of a weekly show's uploads, with trailers and bonus episodes, and none of the
    others' were at 0.98: `python -m tests.streams.scorers.ordinary_uploaders 100 5000`.
    """

    grace_period: int = 10  # Uploads of this kind; fewer give no usable distances.
    name: str = "pattern"
    categories: tuple[Category, ...] = ()
    models: tuple[ModelUse, ...] = ()
    languages: frozenset[str] | None = None

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Give one score; none for an upload without a length and without a title."""
        own = pattern_of(signals)
        if own is None:
            return ()
        patterns = unpack_patterns(history.patterns)
        known = [pattern for pattern in patterns if pattern.group == own.group]
        if len(known) < self.grace_period:
            reason = f"{len(known)} uploads alike in kind, {self.grace_period} needed"
            return (Score(self.name, 0.0, reason),)
        return (self._far(own, known),)

    def _far(self, own: Pattern, known: Sequence[Pattern]) -> Score:
        rows, templates = _rows(known)
        to_own = _distances(rows, templates, *_rows([own]))[:, 0]
        near = float(np.sort(to_own)[NEIGHBOURS - 1])
        if near <= STEP:
            return Score(self.name, 0.0, f"like {len(known)} earlier uploads")
        among = np.sort(_distances(rows, templates, rows, templates), axis=0)
        # Row 0 is each one's distance from itself.
        usual = np.sort(among[NEIGHBOURS])[int(USUAL_QUANTILE * (len(known) - 1))]
        over = max(0.0, near / max(STEP, float(usual)) - 1.0)
        value = over * over / (1.0 + over * over)
        reason = (
            f"{near / STEP:.1f} steps from the most alike of {len(known)} uploads, "
            f"usually up to {max(STEP, float(usual)) / STEP:.1f}"
        )
        return Score(self.name, value, "; ".join((reason, *_told(own, known))))


def _rows(
    patterns: Sequence[Pattern],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers, shape (n, 5), and the templates, shape (n,), as int64."""
    numbers = [(p.duration, p.length, p.digits, p.capitals, p.links) for p in patterns]
    templates = [p.template for p in patterns]
    return np.array(numbers, np.int64), np.array(templates, np.int64)


def _distances(
    rows: NDArray[np.int64],
    templates: NDArray[np.int64],
    others: NDArray[np.int64],
    other_templates: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the hundredths of steps between each two, shape (n, m): whole numbers."""
    apart: NDArray[np.int64] = np.abs(rows[:, None] - others[None]).sum(axis=2)
    apart += OTHER_TEMPLATE * (templates[:, None] != other_templates[None])
    return apart


def _told(own: Pattern, known: Sequence[Pattern]) -> list[str]:
    """Say what differs most from the middle one of what is known, in plain words."""
    found = [
        (abs(getattr(own, part) - usual), _in_words(part, getattr(own, part), usual))
        for part in ("duration", "length", "digits", "capitals", "links")
        if (usual := sorted(getattr(p, part) for p in known)[len(known) // 2]) != NONE
    ]
    if own.template not in {pattern.template for pattern in known}:
        found.append((OTHER_TEMPLATE, "no earlier title was built like this"))
    found.sort(reverse=True)
    return [words for apart, words in found[:TOLD] if apart >= STEP / 2]


def _in_words(part: str, value: int, usual: int) -> str:
    if part == "duration":
        return f"{_size(value):,.0f} s long, usually about {_size(usual):,.0f}"
    if part == "length":
        return f"{_size(value):.0f} characters of title, usually {_size(usual):.0f}"
    if part == "links":
        return f"{_size(value / 3):.0f} links in title, usually {_size(usual / 3):.0f}"
    whole = 400 if part == "digits" else 300
    return f"{value / whole:.0%} {part} in title, usually {usual / whole:.0%}"


def _size(octaves: float) -> float:
    return float(2.0 ** (octaves / 100) - 1)
