"""Cross-validates the series detector's settings over NAB's categories.

    python -m tests.benchmarks.nab_tuning ../shared/data/nab

For each category the views, the gate's settings and the threshold are chosen on all
other categories, then scored on it: no series has a say in its own settings. What that
does not cover: the views themselves were thought of while looking at these series.
"""

import sys
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np

from streams.anomaly.alarm_gate import AlarmGate, GateSettings
from streams.anomaly.univariate import VIEWS, UnivariateDetector
from streams.nab.corpus import Series, read_corpus
from streams.nab.scoring import (
    STANDARD,
    Floats,
    best_threshold,
    gained_at,
    interval,
    normalised,
)

SUBSETS = (VIEWS, *(tuple(v for v in VIEWS if v != left_out) for left_out in VIEWS))
GATES = tuple(
    GateSettings(half_life=half_life, margin=margin, habit=habit)
    for half_life, margin, habit in product(
        (100.0, 200.0, 400.0), (0.2, 0.3, 0.4), (0.4, 0.8)
    )
)
SHIPPED = (VIEWS, GateSettings())


@dataclass(frozen=True)
class Choice:
    """Views, gate and the scores that they give each series."""

    views: tuple[str, ...]
    gate: GateSettings
    scores: list[Floats]

    def __str__(self):
        """Name what differs from the shipped settings."""
        left_out = [view for view in VIEWS if view not in self.views]
        shipped = asdict(GateSettings())
        changed = {k: v for k, v in asdict(self.gate).items() if v != shipped[k]}
        return f"without {left_out}, {changed}"


def surprises(series: Series) -> Floats:
    """Return each view's surprise at each point; shape (points, views)."""
    detector = UnivariateDetector()
    found = []
    for time_s, value in zip(series.times_s, series.values, strict=True):
        found.append(list(detector.explain(time_s, value).values()))
        detector.learn(time_s, value)
    return np.array(found)


def gated(surprise: Floats, views: tuple[str, ...], settings: GateSettings) -> Floats:
    """Return the scores that some views and a gate give."""
    columns = [VIEWS.index(view) for view in views]
    gate, passed = AlarmGate(settings), []
    for decades in surprise[:, columns].mean(axis=1).tolist():
        passed.append(gate.passed(decades))
        gate.learn(decades)
    return 1.0 - 10.0 ** -np.array(passed)


def trained(choices: list[Choice], corpus: list[Series], on: list[int]):
    """Return the choice and the threshold that are best on some of the series."""
    truths = [corpus[n].truth for n in on]
    bests = [
        best_threshold(truths, [choice.scores[n] for n in on], STANDARD)
        for choice in choices
    ]
    best = max(range(len(choices)), key=lambda n: bests[n].score)
    return choices[best], bests[best]


def cross_validated(choices: list[Choice], corpus: list[Series], name: str) -> None:
    """Print the score with each category held out in turn, and its interval.

    Twice: with a category's threshold chosen on the others, and with one threshold for
    all that is the best, as NAB itself scores.
    """
    gained = [0.0] * len(corpus)
    scores = [np.empty(0)] * len(corpus)
    for category in sorted({series.category for series in corpus}):
        held = [n for n, series in enumerate(corpus) if series.category == category]
        others = [n for n in range(len(corpus)) if n not in held]
        choice, best = trained(choices, corpus, others)
        for n in held:
            scores[n] = choice.scores[n]
            gained[n] = gained_at(corpus[n].truth, scores[n], best.threshold, STANDARD)
        print(f"  {category}: {best.threshold:.4f}, {choice}")  # noqa: T201
    told(name, corpus, gained)
    truths = [series.truth for series in corpus]
    best = best_threshold(truths, scores, STANDARD)
    gained = [
        gained_at(truth, score, best.threshold, STANDARD)
        for truth, score in zip(truths, scores, strict=True)
    ]
    told(f"{name}, but NAB's one best threshold", corpus, gained)


def told(name: str, corpus: list[Series], gained: list[float]) -> None:
    """Print a score and its interval."""
    truths = [series.truth for series in corpus]
    score = normalised(sum(gained), truths, STANDARD)
    low, high = interval(truths, gained, STANDARD)
    print(f"{name}: {score:.1f} [{low:.1f}, {high:.1f}]", flush=True)  # noqa: T201


def main(folder: Path) -> None:
    """Print what is cross-validated and how the shipped settings compare."""
    corpus = list(read_corpus(folder))
    seen = [surprises(series) for series in corpus]
    choices = [
        Choice(views, gate, [gated(one, views, gate) for one in seen])
        for views, gate in product(SUBSETS, GATES)
    ]
    shipped = [choice for choice in choices if (choice.views, choice.gate) == SHIPPED]
    cross_validated(choices, corpus, "settings and threshold held out")
    cross_validated(shipped, corpus, "shipped settings, threshold held out")
    _, best = trained(shipped, corpus, list(range(len(corpus))))
    print(f"shipped settings, best threshold: {best.score:.1f}")  # noqa: T201
    truths = [series.truth for series in corpus]
    all_scores = [best_threshold(truths, c.scores, STANDARD).score for c in choices]
    spread = np.percentile(all_scores, [0, 25, 50, 75, 100]).round(1)
    print(f"all {len(choices)} choices: {spread}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
