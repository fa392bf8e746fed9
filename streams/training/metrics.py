"""Figures of merit, with bootstrap intervals; every one works on out-of-fold scores.

`labels` is always float, shape (n,), 1 or 0; `scores` float, shape (n,), higher is
riskier.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Metric = Callable[[Array, Array], float]

BOOTSTRAPS: Final = 500  # Percentile intervals steady to about 0.01.
ECE_BINS: Final = 10  # Guo et al. 2017 use 15; ten keeps thin categories' bins filled.
FALSE_POSITIVE_RATE: Final = 0.01  # The fixed rate.


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.2f}–{self.high:.2f})"


def average_precision(labels: Array, scores: Array) -> float:
    """Return the area under the precision-recall curve, by steps; ties are one step."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    last = np.append(np.diff(scores[order]) != 0, True)  # The end of each run of ties.
    precision = (hits / np.arange(1, len(hits) + 1))[last]
    recall = (hits / max(hits[-1], 1))[last]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def auc(labels: Array, scores: Array) -> float:
    """Return the chance that a positive scores above a negative; ties count half."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    positives = labels.sum()
    negatives = len(labels) - positives
    rank_sum = ranks[inverse][labels == 1].sum()
    wins = rank_sum - positives * (positives + 1) / 2
    return float(wins / max(positives * negatives, 1))


def recall_at_fpr(labels: Array, scores: Array) -> float:
    """Return the recall at the threshold that FALSE_POSITIVE_RATE of negatives pass."""
    threshold = np.quantile(scores[labels == 0], 1 - FALSE_POSITIVE_RATE)
    return float(np.mean(scores[labels == 1] > threshold))


def calibration_error(
    labels: Array, probabilities: Array, weights: Array | None = None
) -> float:
    """Return ECE: the mean gap between probability and frequency, over equal bins."""
    weights = np.ones(len(labels)) if weights is None else weights
    bins = np.minimum((probabilities * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = np.bincount(bins, weights * (probabilities - labels), ECE_BINS)
    return float(np.abs(gaps).sum() / weights.sum())


def with_interval(
    metric: Metric, labels: Array, scores: Array, groups: NDArray[np.int64], seed: int
) -> Figure:
    """Return `metric` with its interval, resampling whole clusters.

    Rows of one cluster are near copies, so drawing rows one by one would make the
    interval too narrow.
    """
    rng = np.random.default_rng(seed)
    by_cluster = np.argsort(groups, kind="stable")
    _, first, sizes = np.unique(
        groups[by_cluster], return_index=True, return_counts=True
    )
    values = []
    for _ in range(BOOTSTRAPS):
        drawn = rng.integers(0, len(sizes), len(sizes))
        rows = by_cluster[runs(first[drawn], sizes[drawn])]
        if 0 < labels[rows].sum() < len(rows):
            values.append(metric(labels[rows], scores[rows]))
    low, high = np.quantile(values, [0.025, 0.975]) if values else (np.nan, np.nan)
    return Figure(metric(labels, scores), float(low), float(high))


def runs(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return start, start + 1, … of each run, one run after the other."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(lengths.sum())
