"""Promises: kept over many random data sets, and refused where labels are too few."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom

from streams.evaluation.tuning import (
    GRID,
    Promise,
    Refused,
    Tuned,
    bound,
    tune,
)

TWO_PERCENT = Promise(wrong=0.02, confidence=0.95)
RUNS = 400
# Of 400 promises at the exact level of 5 %, more than this break once in a thousand.
MOST_BROKEN = int(binom.ppf(0.999, RUNS, 0.05))


def rows(right: int, wrong: int = 0, unknown: int = 0, score: float = 0.97):
    """Build rows of one score."""
    labels = [1.0] * right + [0.0] * wrong + [np.nan] * unknown
    return np.full(len(labels), score), np.array(labels)


def naive(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Pick the lowest threshold at which the labels show no more wrong ones."""
    fine = [
        t
        for t in GRID
        if (scores >= t).any() and np.mean(labels[scores >= t] == 0) <= 0.02
    ]
    return min(fine, default=None)


def broken(
    draw: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]],
    risk: Callable[[float], float],
    pick: Callable[[np.ndarray, np.ndarray], float | None],
) -> int:
    """Count the promises that a way of picking breaks in truth."""
    rng = np.random.default_rng(5)
    picked = [pick(*draw(rng)) for _ in range(RUNS)]
    return sum(t is not None and risk(t) > TWO_PERCENT.wrong for t in picked)


def ours(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Pick as `headgate tune`."""
    found = tune(scores, labels, TWO_PERCENT)
    return found.step.threshold if isinstance(found, Tuned) else None


def even(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw scores evenly; of score s, s ** 0.1 are right."""
    scores = rng.random(3000)
    return scores, (rng.random(3000) < scores**0.1).astype(float)


def even_risk(threshold: float) -> float:
    """Return the true share wrong from a threshold on, by the integral."""
    return 1 - (1 - threshold**1.1) / 1.1 / (1 - threshold)


def flat(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the hardest case: at every score a little more is wrong than promised."""
    return rng.random(900), (rng.random(900) < 0.9795).astype(float)


@pytest.mark.parametrize(
    ("draw", "risk"), [(even, even_risk), (flat, lambda _: 0.0205)]
)
def test_a_promise_is_broken_no_more_often_than_it_says(draw, risk):
    """Over random data sets at most 5 % break it, within what chance allows."""
    assert broken(draw, risk, ours) <= MOST_BROKEN


@pytest.mark.parametrize(
    ("draw", "risk"), [(even, even_risk), (flat, lambda _: 0.0205)]
)
def test_what_the_labels_show_is_no_promise(draw, risk):
    """The lowest threshold that looks right is wrong far more often than 5 %."""
    assert broken(draw, risk, naive) > 3 * MOST_BROKEN


def test_with_none_wrong_the_least_labels_are_enough_and_one_fewer_is_not():
    """As ln 0.05 / ln 0.98 is 148.3: 149 labels, and the refusal counts what lacks."""
    enough = tune(*rows(149), TWO_PERCENT)
    short = tune(*rows(140), TWO_PERCENT)

    assert isinstance(enough, Tuned)
    assert enough.wrong_at_most <= 0.02
    assert isinstance(short, Refused)
    assert short.missing_labels == 9
    assert "149" in short.reason


def test_promised_labels_really_do():
    """With as many more as the refusal asks for, at the same share wrong, it passes."""
    refused = tune(*rows(198, 2), TWO_PERCENT)
    assert isinstance(refused, Refused)
    total = 200 + (refused.missing_labels or 0)
    wrong = int(np.ceil(total * 0.01))

    assert isinstance(tune(*rows(total - wrong, wrong), TWO_PERCENT), Tuned)
    assert isinstance(tune(*rows(total - wrong - 100, wrong), TWO_PERCENT), Refused)


def test_too_many_wrong_is_no_matter_of_labels():
    """A head that errs more than allowed is told so; no number is asked for."""
    refused = tune(*rows(900, 100), TWO_PERCENT)

    assert isinstance(refused, Refused)
    assert refused.missing_labels is None
    assert "100 of the 1000" in refused.reason


def test_no_labels_at_all_are_refused():
    """Empty, and all unknown."""
    for data in (rows(0), rows(0, unknown=50)):
        refused = tune(*data, TWO_PERCENT)
        assert isinstance(refused, Refused)
        assert refused.missing_labels == 149


def test_what_is_automated_counts_unlabelled_rows_too():
    """Labels teach; the share acted on is of everything that was scored."""
    high, low = rows(300, unknown=300), rows(0, unknown=400, score=0.001)
    scores, labels = (np.concatenate(pair) for pair in zip(high, low, strict=True))

    found = tune(scores, labels, TWO_PERCENT)

    assert isinstance(found, Tuned)
    assert (found.acted_on, found.rows, found.found) == (600, 1000, 1.0)


def test_a_threshold_is_reached_by_its_own_value():
    """As in the policy: 0.97 fires at 0.97."""
    found = tune(*rows(200, score=0.97), TWO_PERCENT)

    assert isinstance(found, Tuned)
    assert found.steps[0].threshold == 0.97


def test_labels_only_where_the_score_is_sure_are_refused():
    """They would make the share wrong look lower than it is."""
    sure, rest = rows(300, score=0.99), rows(60, unknown=240, score=0.8)
    scores, labels = (np.concatenate(pair) for pair in zip(sure, rest, strict=True))

    refused = tune(scores, labels, TWO_PERCENT)

    assert isinstance(refused, Refused)
    assert "not a fair sample" in refused.reason


def test_bound_is_clopper_and_pearsons():
    """By hand: none wrong in 149 bounds it at 1 - 0.05 ** (1 / 149); all wrong at 1."""
    assert bound(0, 149, 0.95) == pytest.approx(1 - 0.05 ** (1 / 149))
    assert bound(5, 5, 0.95) == 1.0
    assert binom.cdf(3, 400, bound(3, 400, 0.95)) == pytest.approx(0.05)


@pytest.mark.parametrize("bad", [0.0, 1.0, float("nan")])
def test_a_promise_of_nothing_or_all_is_refused(bad):
    """Zero errors can't be promised from any number of labels."""
    with pytest.raises(ValueError, match="wrong is"):
        Promise(bad, 0.95)


def test_a_score_that_is_none_is_refused():
    """NaN reaches no threshold and would vanish."""
    with pytest.raises(ValueError, match="scores must be"):
        tune(np.array([np.nan]), np.array([1.0]), TWO_PERCENT)
