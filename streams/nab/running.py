"""Runs the detector over a corpus and scores it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streams.anomaly.univariate import UnivariateDetector
from streams.nab.corpus import Series
from streams.nab.scoring import PROFILES, Best, Floats, best_threshold
from streams.nab.scoring import gained_at as _gained_at
from streams.nab.scoring import interval as _interval

# NAB 1.0's scoreboard, all 58 series: standard, reward low FP, reward low FN.
PUBLISHED = {
    "ARTime": (74.9, 65.1, 80.4),
    "Numenta HTM": (70.5, 62.6, 75.2),
    "CAD OSE": (69.9, 67.0, 73.2),
    "kNN-CAD": (58.0, 43.4, 64.8),
    "Windowed Gaussian": (39.6, 20.9, 47.4),
}


@dataclass(frozen=True, slots=True)
class ProfileScore:
    """A profile's threshold and score, with a 95 % bootstrap interval over series."""

    profile: str
    threshold: float
    score: float
    low: float
    high: float


def detect(series: Series) -> Floats:
    """Score a series in one pass, each point before it is learned; shape (points,)."""
    detector = UnivariateDetector()
    scores = np.empty(series.truth.points)
    for at, (time_s, value) in enumerate(
        zip(series.times_s, series.values, strict=True)
    ):
        scores[at] = detector.score(time_s, value)
        detector.learn(time_s, value)
    return scores


def evaluate(
    corpus: Sequence[Series], scores: Sequence[Floats]
) -> dict[str, ProfileScore]:
    """Return each profile's score at its best threshold, by the profile's name."""
    truths = [series.truth for series in corpus]
    found = {}
    for profile in PROFILES:
        best = best_threshold(truths, scores, profile)
        gained = [
            _gained_at(truth, score, best.threshold, profile)
            for truth, score in zip(truths, scores, strict=True)
        ]
        low, high = _interval(truths, gained, profile)
        found[profile.name] = ProfileScore(
            profile.name, best.threshold, best.score, low, high
        )
    return found


def bests(scores: dict[str, ProfileScore]) -> dict[str, Best]:
    """Return what the result files need of them."""
    return {name: Best(one.threshold, one.score) for name, one in scores.items()}
