"""Measures that say "not defined" where they are not, each with a clustered interval.

`labels` is float, shape (n,), 1, 0 or NaN (unknown, left out); `scores` float in
[0, 1], shape (n,), higher is riskier; `groups` the cluster of each row, since near
copies drawn one by one would make intervals too narrow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.evaluation.figures import Estimate
from streams.training import metrics

Array = NDArray[np.floating[Any]]
Groups = NDArray[np.int64]
Measure = Callable[[Array, Array], float]

SEED: Final = 20_261_126  # Of the bootstrap: the same data gives the same interval.
# Fewer clusters, and a percentile interval is a guess.
LEAST_CLUSTERS: Final = 5
# Reliability: as many bins as ECE has.
BINS: Final = metrics.ECE_BINS


@dataclass(frozen=True, slots=True)
class Known:
    """Rows whose label is known."""

    labels: Array
    scores: Array
    groups: Groups

    @property
    def positives(self) -> int:
        """How many are positive."""
        return int(self.labels.sum())

    @property
    def negatives(self) -> int:
        """How many are negative."""
        return len(self.labels) - self.positives


def known(labels: Array, scores: Array, groups: Groups | None = None) -> Known:
    """Leave rows of unknown label out; without groups each row is its own cluster.

    Raises:
        ValueError: a known label is neither 0 nor 1, or a score is not in [0, 1].
    """
    own = np.arange(len(labels), dtype=np.int64) if groups is None else groups
    rows = ~np.isnan(labels)
    kept = Known(labels[rows].astype(np.float64), scores[rows], own[rows])
    if not np.isin(kept.labels, (0.0, 1.0)).all():
        raise ValueError("labels must be 0, 1 or NaN")
    if not ((kept.scores >= 0) & (kept.scores <= 1)).all():
        raise ValueError("scores must be in [0, 1]; some are not, or are NaN")
    return kept


def average_precision(rows: Known) -> Estimate:
    """Return the area under the precision-recall curve, by steps."""
    return _of_both(metrics.average_precision, rows)


def auc(rows: Known) -> Estimate:
    """Return the chance that a positive scores above a negative."""
    return _of_both(metrics.auc, rows)


def recall_at(rows: Known, rate: float) -> Estimate:
    """Return the recall where at most `rate` of negatives are flagged."""
    return _at_rate(partial(_recall_at, rate), rows, rate)


def precision_at(rows: Known, rate: float) -> Estimate:
    """Return the precision where at most `rate` of negatives are flagged.

    It is that of these rows: where positives are rarer it is lower.
    """
    return _at_rate(partial(_precision_at, rate), rows, rate)


def calibration_error(rows: Known, base_rate: float | None = None) -> Estimate:
    """Return ECE over equal bins; with `base_rate` positives are weighed to it."""
    if base_rate is None:
        if len(rows.labels) == 0:
            return Estimate(None, why_not="no rows with a known label")
        return estimate(metrics.calibration_error, rows, both=False)
    return _of_both(partial(_error_at, base_rate), rows)


def share(flags: Array | NDArray[np.bool_], groups: Groups | None = None) -> Estimate:
    """Return the mean of 0s and 1s, such as an accuracy."""
    if len(flags) == 0:
        return Estimate(None, why_not="no rows")
    values = flags.astype(np.float64)
    own = np.arange(len(flags), dtype=np.int64) if groups is None else groups
    if values.min() == values.max():
        return _share_of_alike(float(values[0]), len(np.unique(own)))
    rows = Known(values, values, own)
    return estimate(lambda _, kept: float(np.mean(kept)), rows, both=False)


def estimate(measure: Measure, rows: Known, *, both: bool = True) -> Estimate:
    """Return a measure with its interval, resampling whole clusters.

    With `both`, draws without a positive and a negative are drawn again.
    """
    value = measure(rows.labels, rows.scores)
    if np.isnan(value):
        return Estimate(None, why_not="nothing is flagged")
    if len(np.unique(rows.groups)) < LEAST_CLUSTERS:
        return Estimate(value, why_not=f"no interval: under {LEAST_CLUSTERS} clusters")
    values = [v for v in _resampled(measure, rows, both) if not np.isnan(v)]
    if not values:
        return Estimate(value, why_not="no interval: every draw lacks a class")
    low, high = np.quantile(values, [0.025, 0.975])
    # A percentile interval may leave the value out at the edge; the value is in it.
    return Estimate(value, min(float(low), value), max(float(high), value))


def recall_curve(rows: Known) -> tuple[list[float], list[float]]:
    """Return recalls and precisions at every threshold, from the highest down."""
    order = np.argsort(-rows.scores, kind="stable")
    hits = np.cumsum(rows.labels[order])
    last = np.append(np.diff(rows.scores[order]) != 0, True)
    precision = (hits / np.arange(1, len(hits) + 1))[last]
    recall = (hits / max(rows.positives, 1))[last]
    return recall.tolist(), precision.tolist()


def reliability(
    rows: Known, base_rate: float | None = None
) -> tuple[list[float], list[float]]:
    """Return mean probability and share of positives of each bin that has rows."""
    weights = _weights(rows.labels, base_rate)
    bins = np.minimum((rows.scores * BINS).astype(int), BINS - 1)
    filled = np.bincount(bins, weights, BINS)
    kept = filled > 0
    said = np.bincount(bins, weights * rows.scores, BINS)[kept] / filled[kept]
    seen = np.bincount(bins, weights * rows.labels, BINS)[kept] / filled[kept]
    return said.tolist(), seen.tolist()


def _share_of_alike(value: float, n_clusters: int) -> Estimate:
    """Return Clopper and Pearson's interval of all or none: draws would give no width.

    Of clusters, which stand for the rows that are independent.
    """
    far = 0.025 ** (1 / n_clusters)
    return Estimate(value, far, 1.0) if value else Estimate(value, 0.0, 1.0 - far)


def _of_both(measure: Measure, rows: Known) -> Estimate:
    if lack := _lack(rows):
        return Estimate(None, why_not=lack)
    return estimate(measure, rows)


def _lack(rows: Known) -> str:
    if len(rows.labels) == 0:
        return "no rows with a known label"
    if rows.positives == 0:
        return "no positive"
    return "no negative" if rows.negatives == 0 else ""


def _at_rate(measure: Measure, rows: Known, rate: float) -> Estimate:
    if lack := _lack(rows):
        return Estimate(None, why_not=lack)
    if rows.negatives * rate < 1:
        least = int(np.ceil(1 / rate))
        return Estimate(None, why_not=f"{rows.negatives} negatives, under {least:,}")
    return estimate(measure, rows)


def _flagged(rate: float, labels: Array, scores: Array) -> NDArray[np.bool_]:
    """Flag what is above the score that at most `rate` of negatives exceed."""
    negatives = np.sort(scores[labels == 0])
    allowed = int(np.floor(rate * len(negatives)))
    flagged: NDArray[np.bool_] = scores > negatives[len(negatives) - 1 - allowed]
    return flagged


def _recall_at(rate: float, labels: Array, scores: Array) -> float:
    return float(np.mean(_flagged(rate, labels, scores)[labels == 1]))


def _precision_at(rate: float, labels: Array, scores: Array) -> float:
    flagged = _flagged(rate, labels, scores)
    return float(labels[flagged].mean()) if flagged.any() else np.nan


def _error_at(base_rate: float, labels: Array, scores: Array) -> float:
    weights = _weights(labels, base_rate)
    return metrics.calibration_error(labels, scores, weights)


def _weights(labels: Array, base_rate: float | None) -> Array:
    if base_rate is None:
        return np.ones(len(labels))
    positives = labels.sum()
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        return np.ones(len(labels))
    weights: Array = np.where(
        labels == 1, base_rate / positives, (1 - base_rate) / negatives
    )
    return weights


def _resampled(measure: Measure, rows: Known, both: bool) -> list[float]:
    rng = np.random.default_rng(SEED)
    by_cluster = np.argsort(rows.groups, kind="stable")
    _, first, sizes = np.unique(
        rows.groups[by_cluster], return_index=True, return_counts=True
    )
    values = []
    for _ in range(metrics.BOOTSTRAPS):
        drawn = rng.integers(0, len(sizes), len(sizes))
        kept = by_cluster[metrics.runs(first[drawn], sizes[drawn])]
        labels = rows.labels[kept]
        if not both or 0 < labels.sum() < len(labels):
            values.append(measure(labels, rows.scores[kept]))
    return values
