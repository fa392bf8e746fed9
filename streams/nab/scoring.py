"""NAB's score: what a detection is worth, and the best threshold for a whole corpus.

A detection inside an anomaly's window earns more the earlier it comes, once a window;
one outside costs, less so if a window has just ended; a window without one costs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PROBATION = 0.15  # Share of a series that is not scored …
MOST_PROBATION = 750  # … at most 15 % of 5,000 points.
FAR = 3.0  # Window widths past a window from which a false alarm costs in full.
NO_ALARM = 1.1  # A threshold that no score in [0, 1] reaches.


@dataclass(frozen=True, slots=True)
class Profile:
    """What hits, false alarms and misses weigh; NAB 1.0's `config/profiles.json`."""

    name: str
    hit: float
    false_alarm: float
    miss: float


STANDARD = Profile("standard", 1.0, 0.11, 1.0)
PROFILES = (
    STANDARD,
    Profile("reward_low_FP_rate", 1.0, 0.22, 1.0),
    Profile("reward_low_FN_rate", 1.0, 0.11, 2.0),
)


@dataclass(frozen=True, slots=True)
class Truth:
    """Where a series is anomalous: its length and its windows' first and last points.

    Windows are in order, do not overlap and lie inside the series.
    """

    name: str
    points: int
    windows: tuple[tuple[int, int], ...] = ()

    @property
    def probation(self) -> int:
        """Return how many first points are not scored."""
        return min(math.floor(PROBATION * self.points), MOST_PROBATION)


@dataclass(frozen=True, slots=True)
class Counts:
    """A threshold's outcome on one series, by points after probation."""

    score: float
    tp: int
    tn: int
    fp: int
    fn: int


@dataclass(frozen=True, slots=True)
class Best:
    """The threshold at which a corpus scores highest, and that score.

    `score` is 0 for a detector that never alarms and 100 for one that alarms at the
    first point of every window and nowhere else.
    """

    threshold: float
    score: float


def sigmoid(position: float) -> float:
    """Return a detection's worth in (-1, 1) by its place, in window widths.

    -1 is a window's first point, 0 its end; beyond `FAR` a false alarm costs 1.
    """
    if position >= FAR:
        return -1.0
    return 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


@lru_cache(maxsize=128)  # A corpus; thresholds and profiles ask again and again.
def worth(truth: Truth) -> tuple[Floats, NDArray[np.int64]]:
    """Return what an alarm at each point is worth, before weights, and its window.

    Shapes (points,), read-only. Worth is in (0, 1] inside a window and in [-1, 0)
    outside; the window is its number, or -1.
    """
    value = np.full(truth.points, -1.0)
    window = np.full(truth.points, -1, dtype=np.int64)
    for number, (first, last) in enumerate(truth.windows):
        width = last - first + 1
        places = np.arange(first, last + 1)
        value[places] = [sigmoid((at - last - 1) / width) for at in places]
        value[places] /= sigmoid(-1.0)
        window[places] = number
        later = truth.windows[number + 1 :]
        until = later[0][0] if later else truth.points
        for at in range(last + 1, until):
            # A window of one point has no width to measure by: nothing is near it.
            value[at] = sigmoid((at - last) / (width - 1)) if width > 1 else -1.0
    value.flags.writeable = window.flags.writeable = False
    return value, window


def gains(truth: Truth, scores: Floats, profile: Profile) -> tuple[Floats, Floats]:
    """Return scores and what the total gains as the threshold comes down to each.

    Both of one entry a scored point; the sum of those gains whose score is at least a
    threshold is that threshold's score, above the score of no alarms.
    """
    value, window = worth(truth)
    outside = window < 0
    outside[: truth.probation] = False
    found, gained = [scores[outside]], [value[outside] * profile.false_alarm]
    for number in range(len(truth.windows)):
        inside = window == number
        inside[: truth.probation] = False
        order = np.argsort(-scores[inside], kind="stable")
        hits = value[inside][order] * profile.hit
        best = np.maximum.accumulate(np.concatenate([[-profile.miss], hits]))
        found.append(scores[inside][order])
        gained.append(np.diff(best))
    return np.concatenate(found), np.concatenate(gained)


def best_threshold(
    truths: Sequence[Truth], scores: Sequence[Floats], profile: Profile
) -> Best:
    """Return the one threshold for all series that scores highest, as NAB's optimiser.

    A detection is a score at or above it; on a tie the highest threshold wins.
    """
    parts = [gains(t, s, profile) for t, s in zip(truths, scores, strict=True)]
    found = np.concatenate([part[0] for part in parts])
    gained = np.concatenate([part[1] for part in parts])
    order = np.argsort(-found, kind="stable")
    found, totals = found[order], np.cumsum(gained[order])
    whole = np.append(found[1:] != found[:-1], True)  # Equal scores alarm together.
    found, totals = found[whole], totals[whole]
    best = int(np.argmax(totals))
    if totals[best] <= 0.0:
        return Best(NO_ALARM, 0.0)
    score = normalised(float(totals[best]), truths, profile)
    return Best(float(found[best]), score)


def normalised(gained: float, truths: Sequence[Truth], profile: Profile) -> float:
    """Return a total gain as NAB's score: 0 for no alarms, 100 for perfect ones."""
    windows = sum(len(truth.windows) for truth in truths)
    if not windows:
        return 0.0
    return 100.0 * gained / (windows * (profile.hit + profile.miss))


def gained_at(
    truth: Truth, scores: Floats, threshold: float, profile: Profile
) -> float:
    """Return one series' gain over no alarms at a threshold."""
    found, gained = gains(truth, scores, profile)
    return float(gained[found >= threshold].sum())


def count(truth: Truth, scores: Floats, threshold: float, profile: Profile) -> Counts:
    """Return one series' raw score and its points by outcome."""
    _, window = worth(truth)
    alarm, inside = scores >= threshold, window >= 0
    scored = np.arange(truth.points) >= truth.probation
    gained = gained_at(truth, scores, threshold, profile)
    return Counts(
        score=gained - profile.miss * len(truth.windows),
        tp=int((alarm & inside & scored).sum()),
        tn=int((~alarm & ~inside & scored).sum()),
        fp=int((alarm & ~inside & scored).sum()),
        fn=int((~alarm & inside & scored).sum()),
    )


def interval(
    truths: Sequence[Truth],
    gained: Sequence[float],
    profile: Profile,
    seed: int = 0,
    rounds: int = 2000,
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the score over series.

    Series are drawn with replacement; the threshold stays, so its choice is not in it.
    """
    rng = np.random.default_rng(seed)
    gain = np.asarray(gained)
    windows = np.asarray([len(truth.windows) for truth in truths])
    drawn = rng.integers(0, len(truths), (rounds, len(truths)))
    full = windows[drawn].sum(axis=1) * (profile.hit + profile.miss)
    scores = 100.0 * gain[drawn].sum(axis=1) / np.maximum(full, 1.0)
    low, high = np.percentile(scores, [2.5, 97.5])
    return float(low), float(high)
