"""A threshold that keeps a promise: of what it acts on, at most so much is wrong.

Learn-then-Test (Angelopoulos, Bates, Candès, Jordan and Lei 2021, arXiv 2110.01052) by
fixed-sequence testing. A grid of thresholds that does not depend on the data is walked
from high to low. At each, "more than `wrong` of what scores this or more is wrong" is
tested by the exact binomial test, which is Clopper and Pearson's bound turned round;
the walk ends at the first that can't be rejected, and the last rejected is taken. Each
test is at the full level: a promise is broken only if the first threshold that truly
breaks it is rejected, however many were tried before.

The walk begins where enough is labelled to reject anything. That keeps the level too:
be g the first threshold of the grid that breaks the promise. If the walk begins at g or
above, g's own test must err, and given how many rows score g or more the wrong ones
among them are binomial. If it begins below g, all rows it then counts are from parts of
the range that break the promise, so they are wrong at least as often as the test
allows for.

Assumed: labelled rows are drawn like those that will be decided, and not by their
truth; and a higher score is not more often wrong.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom, fisher_exact

# From surest to least sure; fixed, since the guarantee needs that.
GRID: Final = (0.999, 0.998, 0.995, *(round(1 - i / 100, 2) for i in range(1, 100)))
# Where the walk begins, in least numbers of labels: at three times the least, a
# quarter of the allowed share wrong still passes in four of five cases, at the least
# itself in one of two.
START_LABELS: Final = 3
# But of few labels a quarter must do, or the walk begins far down the range.
START_SHARE: Final = 4
# Labels are uneven if chance alone would make them so less often than this.
UNEVEN_P: Final = 0.01

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Promise:
    """At most `wrong` of what is acted on is wrong, with `confidence`; both in (0, 1).

    Raises:
        ValueError: one is not.
    """

    wrong: float
    confidence: float

    def __post_init__(self) -> None:
        for name, value in (("wrong", self.wrong), ("confidence", self.confidence)):
            if not 0.0 < value < 1.0:
                raise ValueError(f"{name} is {value!r}; expected a number in (0, 1)")

    @property
    def level(self) -> float:
        """How often the promise may be broken."""
        return 1.0 - self.confidence

    @property
    def least_labels(self) -> int:
        """How many labels, none wrong, it takes at the least."""
        exact = math.log(self.level) / math.log(1.0 - self.wrong)
        return math.ceil(exact - 1e-9)  # Rounding must not ask for one more.


@dataclass(frozen=True, slots=True)
class Step:
    """A threshold that was tried."""

    threshold: float
    labelled: int  # Rows of known label that reach it.
    wrong: int  # Of those, the ones that are not what the score says.
    p_value: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """The lowest threshold that keeps the promise, and what it does."""

    step: Step
    wrong_at_most: float  # Clopper and Pearson's bound at the promise's confidence.
    acted_on: int  # Of all rows, labelled or not.
    rows: int
    found: float | None  # Share of the labelled positives it reaches.
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The data can't support the promise."""

    reason: str  # A sentence with its numbers, and what to do.
    missing_labels: int | None  # How many more it takes; None: labels alone won't do.
    steps: tuple[Step, ...] = ()


def tune(scores: Array, labels: Array, promise: Promise) -> Tuned | Refused:
    """Pick the lowest threshold that keeps the promise.

    Args:
        scores: float64, shape (n,), in [0, 1]; a threshold is reached by its own value.
        labels: float64, shape (n,): 1 right, 0 wrong, NaN unknown.
        promise: What is asked.

    Raises:
        ValueError: a score is not in [0, 1], or a label none of 0, 1 and NaN.
    """
    _check(scores, labels)
    is_known = ~np.isnan(labels)
    known, truth = scores[is_known], labels[is_known]
    start = _start(known, promise)
    if start is None:
        return _too_few(known, promise)
    steps: list[Step] = []
    for step in _steps(known, truth, promise, start):
        steps.append(step)
        if step.p_value > promise.level:
            break
    kept = [step for step in steps if step.p_value <= promise.level]
    if not kept:
        return _too_wrong(steps[0], promise, tuple(steps))
    last = kept[-1]
    if sentence := _uneven(scores, is_known, last.threshold):
        return Refused(sentence, None, tuple(steps))
    reached = known >= last.threshold
    positives = truth.sum()
    return Tuned(
        last,
        bound(last.wrong, last.labelled, promise.confidence),
        int((scores >= last.threshold).sum()),
        len(scores),
        float(truth[reached].sum() / positives) if positives else None,
        tuple(steps),
    )


def bound(wrong: int, labelled: int, confidence: float) -> float:
    """Return Clopper and Pearson's one-sided upper bound of the share wrong."""
    if wrong >= labelled:
        return 1.0
    return float(beta.ppf(confidence, wrong + 1, labelled - wrong))


def start_labels(labelled: int, promise: Promise) -> int:
    """Return how many labelled rows the first threshold must have at least.

    Depends on how many labels there are, not on what they or the scores are.
    """
    wished = min(START_LABELS * promise.least_labels, labelled // START_SHARE)
    return max(promise.least_labels, wished)


def _check(scores: Array, labels: Array) -> None:
    if not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError("scores must be in [0, 1]; some are not, or are NaN")
    if not (np.isnan(labels) | np.isin(labels, (0.0, 1.0))).all():
        raise ValueError("labels must be 0, 1 or NaN")


def _start(known: Array, promise: Promise) -> int | None:
    least = start_labels(len(known), promise)
    enough = (i for i, t in enumerate(GRID) if (known >= t).sum() >= least)
    return next(enough, None)


def _steps(known: Array, truth: Array, promise: Promise, start: int) -> Iterator[Step]:
    for threshold in GRID[start:]:
        reached = known >= threshold
        labelled = int(reached.sum())
        wrong = labelled - int(truth[reached].sum())
        p_value = float(binom.cdf(wrong, labelled, promise.wrong))
        yield Step(threshold, labelled, wrong, p_value)


def _too_few(known: Array, promise: Promise) -> Refused:
    least, lowest = promise.least_labels, GRID[-1]
    have = int((known >= lowest).sum())
    missing = start_labels(len(known), promise) - have
    return Refused(
        f"{have} labelled rows score {lowest:g} or more; with none wrong it takes "
        f"{least} (ln {promise.level:.3g} / ln {1 - promise.wrong:.3g}) to promise at "
        f"most {promise.wrong:.3g} wrong with {promise.confidence:.3g} confidence: "
        f"label {missing} more, drawn at random from what scores high",
        missing,
    )


def _too_wrong(step: Step, promise: Promise, steps: tuple[Step, ...]) -> Refused:
    rate = step.wrong / step.labelled
    seen = (
        f"{step.wrong} of the {step.labelled} labelled rows that score "
        f"{step.threshold:g} or more are wrong ({rate:.2%})"
    )
    if rate >= promise.wrong:
        return Refused(
            f"{seen}; no number of labels supports at most {promise.wrong:.3g} while "
            "that holds: ask for less, or have a better head",
            None,
            steps,
        )
    missing = _labels_needed(rate, promise, step.labelled) - step.labelled
    return Refused(
        f"{seen}, which chance may have made of more than {promise.wrong:.3g} "
        f"(p = {step.p_value:.3g}); if the share stays, {missing} more labels from "
        "there on will do",
        missing,
        steps,
    )


def _labels_needed(rate: float, promise: Promise, have: int) -> int:
    """Return how many labels pass at this share of wrong ones, by bisection."""

    def passes(count: int) -> bool:
        wrong = math.ceil(rate * count)
        return bool(binom.cdf(wrong, count, promise.wrong) <= promise.level)

    high = have
    while not passes(high):
        high *= 2
    low = have
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    return high


def _uneven(scores: Array, is_known: NDArray[np.bool_], threshold: float) -> str:
    """Say it where the surest rows are labelled more often than the rest.

    Then the wrong share of the labelled ones is lower than that of all.
    """
    reached = scores >= threshold
    middle = np.median(scores[reached])
    sure, rest = reached & (scores > middle), reached & (scores <= middle)
    table = [
        [int(is_known[part].sum()), int((~is_known[part]).sum())]
        for part in (sure, rest)
    ]
    if fisher_exact(table, alternative="greater").pvalue >= UNEVEN_P:
        return ""
    shares = [known / max(known + unknown, 1) for known, unknown in table]
    return (
        f"of the rows that reach {threshold:g}, {shares[0]:.0%} of the surer half are "
        f"labelled and {shares[1]:.0%} of the other, so the labels are not a fair "
        "sample and the share wrong looks lower than it is: label rows drawn at "
        "random"
    )
