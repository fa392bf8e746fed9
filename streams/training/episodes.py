"""Episodes drawn from clean and bad segments: how often each length is held for review.

Pure, given segments and a way to pool them; seeded.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from schemas.records import Category
from streams.training.clean_speech import SECONDS, SEED, Segments
from streams.training.metrics import Figure

MINUTES: Final = (1, 5, 20, 60, 180)
# mixed: every source alike. half topic: every second segment is about one thing.
# one topic: all are, and the thing may be one that the head fears.
KINDS: Final = ("mixed", "half topic", "one topic")
Kind = Literal["mixed", "half topic", "one topic"]
EPISODES: Final = 40  # Of each resample.
RESAMPLES: Final = 40  # Of the clusters, for the intervals.
HARM_SOURCES: Final = ("openai", "hatecheck", "sms", "youtube", "own")

# A source's segments, float64, shape (n, categories), and how many of them last a
# minute, to the upload's probabilities, shape (categories,).
Pool = Callable[[NDArray[np.float64], float], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Held:
    """The share of episodes held for review: by category, and for any of them."""

    by_category: Mapping[Category, Figure]
    mean: Figure  # Over the categories.
    any: Figure


def highest(table: NDArray[np.float64], reference: float) -> NDArray[np.float64]:
    """Pool as was done before there was a rule for length."""
    top: NDArray[np.float64] = table.max(axis=0)
    return top


def false_positives(
    segments: Segments,
    pool: Pool,
    thresholds: Mapping[Category, float],
    *,
    form: str,
    kind: Kind,
    minutes: int,
    half: int = 1,
) -> Held:
    """Return how many clean episodes of a length and kind are held, with intervals.

    Intervals resample the clusters of texts; episodes of one resample share them.
    """
    size = round(minutes * 60 / SECONDS[form])
    rng = np.random.default_rng(SEED)
    shares = []
    for rows in _resampled(segments, segments.clean(form, half), rng):
        material = _material(segments, rows)
        drawn = (_draw(material, kind, size, rng) for _ in range(EPISODES))
        pooled = [
            pool(segments.probabilities[one], 60 / SECONDS[form]) for one in drawn
        ]
        shares.append(_shares(pooled, segments.categories, thresholds))
    return _held(shares, segments.categories)


def recall(
    segments: Segments,
    pool: Pool,
    thresholds: Mapping[Category, float],
    *,
    bad: int,
    of: int,
    half: int = 1,
) -> Mapping[Category, Figure]:
    """Return, by category, how many episodes with some bad segments are held for it.

    The others are clean ones of every source. Categories without a bad text are left
    out.
    """
    rng = np.random.default_rng(SEED)
    clean = _material(segments, segments.clean("short", half))
    found = {}
    for column, category in enumerate(segments.categories):
        harm = _harm(segments, column, half)
        if not len(harm):
            continue
        shares = []
        for rows in _resampled(segments, harm, rng):
            held = 0
            for _ in range(EPISODES):
                background = _draw(clean, "mixed", of - bad, rng)
                episode = np.append(background, rng.choice(rows, bad))
                pooled = pool(segments.probabilities[episode], 60 / SECONDS["short"])
                held += pooled[column] >= thresholds[category]
            shares.append(held / EPISODES)
        found[category] = _figure(shares)
    return found


def _harm(segments: Segments, column: int, half: int) -> NDArray[np.int64]:
    wanted = (segments.labels[:, column] == 1) & (segments.halves == half)
    wanted &= np.isin(segments.sources, HARM_SOURCES)
    return np.flatnonzero(wanted)


def _resampled(
    segments: Segments, rows: NDArray[np.int64], rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yield rows of clusters drawn with replacement, whole clusters at a time."""
    names, cluster_of = np.unique(segments.groups[rows], return_inverse=True)
    for _ in range(RESAMPLES):
        drawn = rng.integers(0, len(names), len(names))
        times = np.bincount(drawn, minlength=len(names))
        yield np.repeat(rows, times[cluster_of])


@dataclass(frozen=True, slots=True)
class _Material:
    """Rows to draw from, apart by source and by topic."""

    by_source: Sequence[NDArray[np.int64]]
    by_topic: Sequence[NDArray[np.int64]]


def _material(segments: Segments, rows: NDArray[np.int64]) -> _Material:
    sources, topics = segments.sources[rows], segments.topics[rows]
    return _Material(
        [rows[sources == name] for name in np.unique(sources)],
        [rows[topics == name] for name in np.unique(topics)],
    )


def _draw(
    material: _Material, kind: Kind, size: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    topical = {"mixed": 0, "half topic": size // 2, "one topic": size}[kind]
    about = material.by_topic[int(rng.integers(len(material.by_topic)))]
    of_source = rng.multinomial(
        size - topical, [1 / len(material.by_source)] * len(material.by_source)
    )
    parts = [_some(about, topical, rng)]
    parts += [
        _some(rows, int(count), rng)
        for rows, count in zip(material.by_source, of_source, strict=True)
    ]
    return np.concatenate(parts)


def _some(
    rows: NDArray[np.int64], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw without replacement, as long as there are enough."""
    chosen: NDArray[np.int64] = rng.choice(rows, count, replace=count > len(rows))
    return chosen


def _shares(
    pooled: Sequence[NDArray[np.float64]],
    categories: Sequence[Category],
    thresholds: Mapping[Category, float],
) -> NDArray[np.float64]:
    """Return shares over thresholds: of each category, their mean, and of any."""
    over = np.stack(pooled) >= np.array([thresholds[c] for c in categories])
    each = over.mean(axis=0)
    return np.append(each, [each.mean(), over.any(axis=1).mean()])


def _held(
    shares: Sequence[NDArray[np.float64]], categories: Sequence[Category]
) -> Held:
    *each, mean, any_ = (_figure(column) for column in np.stack(shares).T)
    return Held(dict(zip(categories, each, strict=True)), mean, any_)


def _figure(values: Sequence[float] | NDArray[np.float64]) -> Figure:
    """Return the mean of the resamples' shares, and 95 % of a normal one about it.

    Each is of EPISODES only, so it is wider than the clusters alone would make it.
    """
    mean, margin = float(np.mean(values)), 1.96 * float(np.std(values))
    return Figure(mean, max(0.0, mean - margin), min(1.0, mean + margin))
