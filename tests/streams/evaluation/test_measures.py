"""Measures against scikit-learn and by hand, and where they are not defined."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from streams.evaluation import measures
from streams.evaluation.measures import known


def some_rows(n: int = 400, share: float = 0.3, seed: int = 1) -> measures.Known:
    """Build rows whose scores say something, with ties."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < share).astype(float)
    scores = np.round(np.clip(0.4 * labels + 0.6 * rng.random(n), 0, 1), 2)
    return known(labels, scores)


def test_average_precision_and_auc_equal_scikit_learns():
    """Ties included."""
    rows = some_rows()

    assert measures.average_precision(rows).value == pytest.approx(
        average_precision_score(rows.labels, rows.scores)
    )
    assert measures.auc(rows).value == pytest.approx(
        roc_auc_score(rows.labels, rows.scores)
    )


def test_at_a_rate_no_more_negatives_are_flagged_than_it_allows():
    """By hand: of 100 negatives one may pass; the next score is the threshold."""
    negatives = np.arange(100) / 200  # 0 … 0.495.
    scores = np.concatenate([negatives, [0.4925, 0.4975, 0.2, 0.9]])
    labels = np.concatenate([np.zeros(100), np.ones(4)])
    rows = known(labels, scores)

    assert measures.recall_at(rows, 0.01).value == 3 / 4
    assert measures.precision_at(rows, 0.01).value == 3 / 4


def test_ties_never_flag_more_negatives_than_allowed():
    """All scores equal: nothing can be flagged, and precision says so."""
    rows = known(np.repeat([0.0, 1.0], 200), np.full(400, 0.5))

    assert measures.recall_at(rows, 0.01).value == 0.0
    assert measures.precision_at(rows, 0.01).why_not == "nothing is flagged"


def test_calibration_error_by_hand():
    """Two bins: 0.25 said and 0.5 seen, 0.75 said and 1 seen, half each: 0.25."""
    rows = known(np.array([0.0, 1.0, 1.0, 1.0]), np.array([0.25, 0.25, 0.75, 0.75]))

    assert measures.calibration_error(rows).value == pytest.approx(0.25)
    assert measures.reliability(rows) == ([0.25, 0.75], [0.5, 1.0])


def test_a_base_rate_weighs_positives_down_to_it():
    """At half positives, scores of 0.05 are 0.45 off; weighed to 5 % they are right."""
    rows = known(np.repeat([0.0, 1.0], 50), np.full(100, 0.05))

    assert measures.calibration_error(rows).value == pytest.approx(0.45)
    assert measures.calibration_error(rows, 0.05).value == pytest.approx(0.0)


def test_a_missing_label_is_left_out_and_not_taken_for_0():
    """NaN rows change nothing."""
    rows = some_rows()
    more = known(
        np.concatenate([rows.labels, [np.nan] * 50]),
        np.concatenate([rows.scores, np.ones(50)]),
    )

    assert len(more.labels) == 400
    assert (
        measures.average_precision(more).value == measures.average_precision(rows).value
    )


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ([], "no rows with a known label"),
        ([np.nan, np.nan], "no rows with a known label"),
        ([1.0, 1.0, 1.0], "no negative"),
        ([0.0, 0.0, 0.0], "no positive"),
    ],
)
def test_what_is_not_defined_is_said_and_never_raised(labels, why):
    """Empty, unknown, all positive, all negative."""
    rows = known(np.array(labels), np.full(len(labels), 0.5))

    for measure in (measures.average_precision, measures.auc):
        found = measure(rows)
        assert (found.value, found.why_not) == (None, why)
    for measure in (measures.recall_at, measures.precision_at):
        assert measure(rows, 0.01).why_not == why


def test_a_rate_needs_enough_negatives():
    """One in a thousand can't be seen among 280."""
    assert "under 1,000" in measures.recall_at(some_rows(), 0.001).why_not


def test_a_handful_of_clusters_gives_a_value_without_an_interval():
    """Three near copies and one more are two clusters."""
    rows = known(
        np.array([1.0, 1.0, 0.0, 0.0]),
        np.array([0.9, 0.8, 0.1, 0.2]),
        np.array([0, 0, 1, 1]),
    )

    found = measures.average_precision(rows)

    assert (found.value, found.low) == (1.0, None)
    assert "no interval" in found.why_not


def test_copies_widen_nothing_when_clustered():
    """Ten copies of each row in its cluster give about the same interval."""
    rows = some_rows(200)
    copied = known(
        np.repeat(rows.labels, 10), np.repeat(rows.scores, 10), np.arange(2000) // 10
    )
    alone = known(copied.labels, copied.scores)

    def width(rows: measures.Known) -> float:
        found = measures.auc(rows)
        return found.high - found.low

    assert width(copied) == pytest.approx(width(rows), rel=0.1)
    assert width(alone) < 0.5 * width(rows)


def test_all_right_is_not_certainty():
    """Twenty of twenty: at least 0.83 by Clopper and Pearson, 1 - 0.025 ** (1 / 20)."""
    found = measures.share(np.ones(20))

    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.8316, abs=1e-4)
    assert measures.share(np.array([])).why_not == "no rows"


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.1])
def test_a_score_that_is_none_is_refused(bad):
    """A NaN would sort anywhere."""
    with pytest.raises(ValueError, match=r"scores must be in \[0, 1\]"):
        known(np.array([0.0, 1.0]), np.array([0.5, bad]))
