"""Facts that hold for any detector of a series."""

import json
import math
import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.anomaly.state import StateError
from streams.anomaly.univariate import UnivariateDetector

ANY_TIME = st.one_of(st.floats(), st.floats(0, 1e7))


def usual_points(count, seed=1):
    """Return times and points of an ordinary day, every five minutes."""
    rng = random.Random(seed)
    return [(n * 300.0, rng.gauss(10, 2)) for n in range(count)]


@cache
def _usual_state():
    return fed(usual_points(300))[0].save()


def fed(points):
    """Return a detector that learned the points, and their scores."""
    detector, scores = UnivariateDetector(), []
    for at_s, point in points:
        scores.append(detector.score(at_s, point))
        detector.learn(at_s, point)
    return detector, scores


@settings(max_examples=15)
@given(data=st.data())
def test_any_input_gives_a_score_in_the_unit_interval(data):
    """NaN, infinity, repeated and backward times never raise and never give NaN."""
    detector, _ = fed(usual_points(300))
    for at_s, point in data.draw(
        st.lists(st.tuples(ANY_TIME, st.floats()), max_size=40)
    ):
        assert 0.0 <= detector.score(at_s, point) <= 1.0
        detector.learn(at_s, point)
    at_s, usual = usual_points(1)[0]
    assert 0.0 <= detector.score(at_s, usual) <= 1.0
    json.dumps(detector.save(), allow_nan=False)


def test_scoring_changes_nothing():
    """A thousand scores leave the state and the next score as they were."""
    detector, _ = fed(usual_points(400))
    before, point = detector.save(), 30.0
    first = detector.score(1e6, point)

    for n in range(1000):
        detector.score(1e6 + n, float(n))

    assert detector.save() == before
    assert detector.score(1e6, point) == first


def test_the_same_points_give_the_same_scores():
    """Nothing depends on the clock, the process or chance."""
    points = usual_points(500)

    assert fed(points)[1] == fed(points)[1]


def test_a_score_knows_nothing_of_later_points():
    """Scores of the first half are the same whatever follows."""
    points = usual_points(450)
    other = [*points[:300], *usual_points(450, seed=9)[300:]]

    assert fed(points)[1][:300] == fed(other)[1][:300]


def test_a_saved_detector_continues_bit_for_bit():
    """Saved as JSON in the middle, all later scores and the state are the same."""
    points = usual_points(500)
    first, _ = fed(points[:350])
    second = UnivariateDetector()
    second.load(json.loads(json.dumps(first.save())))

    for at_s, point in points[350:]:
        assert second.score(at_s, point) == first.score(at_s, point)
        first.learn(at_s, point)
        second.learn(at_s, point)
    assert second.save() == first.save()


def test_a_state_of_another_version_is_refused():
    """An old state is named, not misread."""
    detector = UnivariateDetector()

    with pytest.raises(StateError, match="version 0"):
        detector.load(detector.save() | {"version": 0})


def test_the_state_stops_growing():
    """Past its windows a detector is as large after more points as before."""
    sizes, enough = [], 4100
    detector, _ = fed(usual_points(enough))
    for at_s, point in usual_points(200, seed=2):
        detector.learn(at_s + 300.0 * enough, point)
        if at_s % 15_000 == 0:
            sizes.append(_count(detector.save()))

    assert max(sizes) - min(sizes) <= 64  # Alarms remembered, half hours begun.


def _count(state):
    if isinstance(state, dict):
        return sum(_count(part) for part in state.values())
    return sum(map(_count, state)) if isinstance(state, list) else 1


def test_a_constant_series_is_never_odd():
    """Nothing happens, nothing is scored."""
    points = [(n * 300.0, 7.1) for n in range(450)]

    assert max(fed(points)[1]) < 0.5


def test_an_outlier_stands_out():
    """Ten spreads out is odder than any ordinary point."""
    detector, scores = fed(usual_points(600))
    found = detector.score(600 * 300.0, 40.0)

    assert found > 0.95
    assert sum(score >= found for score in scores[300:]) == 0


def test_missing_points_teach_nothing():
    """A hundred missing points leave the state as it was."""
    detector, _ = fed(usual_points(300))
    before = detector.save()

    for n in range(100):
        missing = math.nan
        assert detector.score(1e5 + n, missing) == 0.0
        detector.learn(1e5 + n, missing)

    assert detector.save() == before
