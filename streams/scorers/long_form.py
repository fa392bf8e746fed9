"""One probability from many segments, that does not grow with their number alone.

Nor are three bad ones drowned by a hundred.

The highest of n segments' probabilities is what n draws make likely, so a clean podcast
of three hours would always reach a threshold. Asked is instead: how odd is it, among
clean uploads, that k of n segments are as high as the k-th highest here? The oddest
answer over a few k is turned back into the probability that is as odd in a minute of
clean speech.

Clean uploads differ (a crime podcast is nearer to violence throughout), so the count of
segments above a level is no Poisson's: its rate is taken to vary between uploads like a
gamma distribution, which makes the count a negative binomial one. At a thousand clean
segments it is their share that counts then, not their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.records import Category, TextSignal
from streams.scorers.long_form_tails import STEEPNESS_AND_OFFSET

# Up to a minute the highest segment decides, as it does for a title. What is longer may
# alarm as often as that when it is clean, not oftener.
REFERENCE_S: Final = 60.0
# The same for what is read: spans of a text, of 180 words at most.
REFERENCE_SPANS: Final = 10
# How many high segments are looked for: one that is plain, or ever more that are less.
AT_LEAST: Final = (1, 2, 3, 5, 10, 20)
# The gamma distribution's shape: less is a wider spread of clean uploads' rates. And
# looking for six counts finds more by chance than looking for one: how much more. Both
# were chosen on the half of the clean texts that the tails were fitted on: of episodes
# there, on anything, half or wholly on one topic, 0.031 are held in a category after a
# minute, 0.026 after 20, 0.035 after 60 and 0.032 after 180.
SPREAD_SHAPE: Final = 0.3
SEARCH_PENALTY: Final = 2.5
# Rounded probabilities of 0 and 1 have no logit.
_LEAST_PROBABILITY: Final = 5e-5
# Rarer than the tails were fitted to by far, and no overflow below.
_LEAST_ODDS: Final = 1e-12
_MOST_CHANCE: Final = 1 - 1e-9
# Of the negative binomial distribution's terms: gamma(j + shape) / (gamma(shape) j!).
_COEFFICIENTS: Final = np.cumprod(
    [1.0, *((SPREAD_SHAPE + j - 1) / j for j in range(1, max(AT_LEAST)))]
)

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tail:
    """How often a clean segment's probability is over a level.

    The odds of it are exp(offset - steepness * logit(level)).
    """

    steepness: float  # Above 0.
    offset: float

    def odds_over(self, levels: _Array) -> _Array:
        """Return the odds that a clean segment is over each level in [0, 1]."""
        kept = np.clip(levels, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
        logits = np.log(kept / (1 - kept))
        odds: _Array = np.exp(self.offset - self.steepness * logits)
        return np.maximum(odds, _LEAST_ODDS)

    def level_at(self, odds: float) -> float:
        """Return the probability that a clean segment is over with these odds."""
        logit = (self.offset - float(np.log(odds))) / self.steepness
        return float(0.5 * (1.0 + np.tanh(0.5 * logit)))


# For a category that nothing was fitted to: none of the fitted ones is nearer to alarm.
_ANY_TAIL: Final = Tail(
    min(steepness for steepness, _ in STEEPNESS_AND_OFFSET.values()),
    max(offset for _, offset in STEEPNESS_AND_OFFSET.values()),
)


def tail_of(category: Category) -> Tail:
    """Return how clean segments are spread in a category."""
    fitted = STEEPNESS_AND_OFFSET.get(category.value)
    return _ANY_TAIL if fitted is None else Tail(*fitted)


def pool_sources(
    spans: Sequence[TextSignal], table: _Array, categories: Sequence[Category]
) -> tuple[list[float], list[str]]:
    """Return an upload's probability of each category, and which source gave it.

    Each source is pooled alone, so that a transcript never dilutes the title beside it.
    At a draw the earlier source.

    Args:
        spans: Of one upload, at least one.
        table: float64, shape (len(spans), len(categories)), in [0, 1].
        categories: What the columns are.
    """
    places: dict[str, list[int]] = {}
    for at, span in enumerate(spans):
        places.setdefault(span.source, []).append(at)
    found = np.array(
        [
            pooled_columns(
                table[own], categories, reference_of([spans[n] for n in own])
            )
            for own in places.values()
        ]
    )
    names = list(places)
    riskiest = [names[at] for at in found.argmax(axis=0).tolist()]
    return found.max(axis=0).tolist(), riskiest


def reference_of(spans: Sequence[TextSignal]) -> float:
    """Return how many of a source's segments are the reference: a minute of speech.

    In [1, len(spans)], REFERENCE_SPANS at most where none has seconds.
    """
    # Parts of a split segment share its seconds.
    seconds = dict.fromkeys((s.start_s, s.end_s) for s in spans)
    spoken_s = sum(e - s for s, e in seconds if s is not None and e is not None)
    if spoken_s > 0:
        return float(np.clip(len(spans) * REFERENCE_S / spoken_s, 1, len(spans)))
    return float(min(REFERENCE_SPANS, len(spans)))


def pooled(probabilities: _Array, tail: Tail, reference: float) -> float:
    """Return one probability for a source's segments, never over the highest of them.

    It rises with each of them and, the others equal, falls with every clean one more.

    Args:
        probabilities: float64, shape (n_segments,), n_segments > 0, in [0, 1].
        tail: Of the category.
        reference: Up to how many segments the highest is the answer, at least 1.
    """
    ranked = np.sort(probabilities)[::-1]
    highest, n = float(ranked[0]), len(ranked)
    if n <= reference:
        return highest
    counts = np.array([k for k in AT_LEAST if k <= n])
    chances = _chance_of(counts, n * tail.odds_over(ranked[counts - 1]))
    penalty = SEARCH_PENALTY - (SEARCH_PENALTY - 1) * reference / n
    chance = min(float(chances.min()) * penalty, _MOST_CHANCE)
    # What one segment of a reference's must be over to be as odd.
    expected = SPREAD_SHAPE * np.expm1(-np.log1p(-chance) / SPREAD_SHAPE)
    return min(highest, tail.level_at(float(expected) / reference))


def _chance_of(counts: NDArray[np.int64], expected: _Array) -> _Array:
    """Return the chance of at least each count where `expected` is expected.

    1 less the terms below, so right to 1e-15; what is rarer reaches any level anyway.
    """
    share = (expected / (expected + SPREAD_SHAPE))[:, None]
    j = np.arange(counts.max())
    terms = _COEFFICIENTS[j] * share**j * (1 - share) ** SPREAD_SHAPE
    below = np.where(j < counts[:, None], terms, 0.0).sum(axis=1)
    chances: _Array = np.maximum(1 - below, _LEAST_ODDS)
    return chances


def pooled_columns(
    table: _Array, categories: Sequence[Category], reference: float
) -> _Array:
    """Return `pooled` of each category, float64, shape (n_categories,).

    Args:
        table: float64, shape (n_segments, n_categories), in [0, 1].
        categories: What the columns are.
        reference: See `pooled`.
    """
    if len(table) <= reference:
        highest: _Array = table.max(axis=0)
        return highest
    columns = zip(table.T, categories, strict=True)
    return np.array([pooled(c, tail_of(name), reference) for c, name in columns])
