import math

import numpy as np
import pytest

from streams.nab.scoring import (
    NO_ALARM,
    PROFILES,
    STANDARD,
    Truth,
    best_threshold,
    count,
    gained_at,
    interval,
    sigmoid,
    worth,
)

A_SERIES = Truth("a/one.csv", 1000, ((400, 499), (700, 799)))
QUIET = Truth("a/quiet.csv", 1000)


def alarms(truth, *places):
    """Return scores of 1 at some points and 0 elsewhere."""
    scores = np.zeros(truth.points)
    scores[list(places)] = 1.0
    return scores


def raw(truth, *places, profile=STANDARD):
    """Return the raw score of alarms at some points."""
    return count(truth, alarms(truth, *places), 1.0, profile).score


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_the_null_detector_scores_0_and_a_perfect_one_100(profile):
    """NAB's two ends: never an alarm, and one at each window's first point."""
    truths = [A_SERIES, QUIET]
    null = [alarms(truth) for truth in truths]
    perfect = [alarms(A_SERIES, 400, 700), alarms(QUIET)]

    assert best_threshold(truths, null, profile).score == 0.0
    assert best_threshold(truths, null, profile).threshold == NO_ALARM
    assert best_threshold(truths, perfect, profile).score == pytest.approx(100.0)


def test_the_sigmoid_has_the_papers_values():
    """0.98661 at a window's start, 0.84828 in the middle, 0 at its end, then a cost."""
    assert sigmoid(-1.0) == pytest.approx(0.98661, abs=1e-5)
    assert sigmoid(-0.5) == pytest.approx(0.84828, abs=1e-5)
    assert sigmoid(0.0) == 0.0
    assert sigmoid(1.0) == pytest.approx(-0.98661, abs=1e-5)
    assert sigmoid(3.0) == -1.0


def test_a_hit_in_the_middle_by_hand():
    """Point 450 of the window 400 to 499 is half a width from its end."""
    hit = (2 / (1 + math.exp(-2.5)) - 1) / (2 / (1 + math.exp(-5)) - 1)

    assert raw(A_SERIES, 450) == pytest.approx(hit - 1.0)


def test_only_the_first_hit_of_a_window_counts():
    """More alarms in a window neither earn nor cost."""
    assert raw(A_SERIES, 450) == raw(A_SERIES, 450, 460, 499)


def test_a_false_alarm_costs_less_just_after_a_window():
    """11 hundredths far off; a tenth of a width after the window, less by hand."""
    near = 2 / (1 + math.exp(5 * 10 / 99)) - 1

    assert raw(A_SERIES, 200) == pytest.approx(-2.11)
    assert raw(A_SERIES, 509) == pytest.approx(-2.0 + 0.11 * near)
    assert raw(QUIET, 200, 300) == pytest.approx(-0.22)


def test_profiles_weigh_misses_and_false_alarms():
    """The third doubles a miss, the second a false alarm."""
    low_fp, low_fn = PROFILES[1:]

    assert raw(QUIET, 200, profile=low_fp) == pytest.approx(-0.22)
    assert raw(A_SERIES, profile=low_fn) == -4.0


def test_the_first_15_percent_are_not_scored_at_most_750():
    """Alarms on probation neither earn nor cost nor count."""
    assert A_SERIES.probation == 150
    assert Truth("a/long.csv", 20_000).probation == 750
    found = count(QUIET, alarms(QUIET, 0, 149, 150), 1.0, STANDARD)
    assert (found.score, found.fp, found.tn) == (-0.11, 1, 849)


def test_one_threshold_is_chosen_for_all_series():
    """A threshold that gains on one series and loses more on another is not taken."""
    loud = np.where(np.arange(1000) % 2, 0.5, 0.0)
    scores = [alarms(A_SERIES, 400) * 0.5 + alarms(A_SERIES, 700) * 0.2, loud]

    best = best_threshold([A_SERIES, QUIET], scores, STANDARD)

    assert best.threshold == NO_ALARM
    assert best_threshold([A_SERIES], scores[:1], STANDARD).threshold == 0.2


def test_equal_scores_alarm_together():
    """No threshold tells points of one score apart: a flat score is worthless."""
    flat = [np.full(1000, 0.5)]

    assert best_threshold([QUIET], flat, STANDARD).score == 0.0
    assert gained_at(QUIET, flat[0], 0.5, STANDARD) == pytest.approx(-850 * 0.11)


def test_a_window_of_one_point_is_scored():
    """NAB's formula would divide by zero after it; there nothing is near."""
    value, _ = worth(Truth("a/one.csv", 10, ((5, 5),)))

    assert value[5] == 1.0
    assert value[6] == -1.0


def test_the_interval_holds_the_score():
    """Drawn from the same series the score lies inside."""
    truths = [Truth(f"a/{n}.csv", 1000, ((400, 499),)) for n in range(20)]
    gained = [2.0 * (n % 4 != 0) for n in range(20)]
    low, high = interval(truths, gained, STANDARD)

    assert 0 < low < 75 < high < 100
