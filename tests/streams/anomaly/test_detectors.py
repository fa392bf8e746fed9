"""Facts that hold for every detector."""

import json
import math
import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.anomaly.bounded_step import Stepped
from streams.anomaly.state import StateError
from streams.anomaly.univariate import UnivariateDetector
from streams.anomaly.vector import VectorDetector

FEATURES = 3
MAKERS = {
    "univariate": UnivariateDetector,
    "stepped": lambda: Stepped(UnivariateDetector()),
    "vector": lambda: VectorDetector(FEATURES, seed=5),
}
ANY_TIME = st.one_of(st.floats(), st.floats(0, 1e7))
ANY_POINT = st.tuples(*[st.floats()] * FEATURES)


each_kind = pytest.mark.parametrize("kind", MAKERS)


def a_point(kind, values):
    """Return a point that the detector takes."""
    return list(values) if kind == "vector" else values[0]


def usual_points(kind, count, seed=1):
    """Return times and points of an ordinary day, every five minutes."""
    rng = random.Random(seed)
    return [
        (n * 300.0, a_point(kind, [rng.gauss(10, 2) for _ in range(FEATURES)]))
        for n in range(count)
    ]


@cache
def _usual_state(kind):
    return fed(kind, usual_points(kind, 300))[0].save()


def fed(kind, points):
    """Return a detector that learned the points, and their scores."""
    detector, scores = MAKERS[kind](), []
    for at_s, point in points:
        scores.append(detector.score(at_s, point))
        detector.learn(at_s, point)
    return detector, scores


@each_kind
@settings(max_examples=15)
@given(data=st.data())
def test_any_input_gives_a_score_in_the_unit_interval(kind, data):
    """NaN, infinity, repeated and backward times never raise and never give NaN."""
    detector, _ = fed(kind, usual_points(kind, 300))
    for at_s, values in data.draw(
        st.lists(st.tuples(ANY_TIME, ANY_POINT), max_size=40)
    ):
        point = a_point(kind, values)
        assert 0.0 <= detector.score(at_s, point) <= 1.0
        detector.learn(at_s, point)
    at_s, usual = usual_points(kind, 1)[0]
    assert 0.0 <= detector.score(at_s, usual) <= 1.0
    json.dumps(detector.save(), allow_nan=False)


@each_kind
def test_scoring_changes_nothing(kind):
    """A thousand scores leave the state and the next score as they were."""
    detector, _ = fed(kind, usual_points(kind, 400))
    before, point = detector.save(), a_point(kind, [30.0] * FEATURES)
    first = detector.score(1e6, point)

    for n in range(1000):
        detector.score(1e6 + n, a_point(kind, [float(n)] * FEATURES))

    assert detector.save() == before
    assert detector.score(1e6, point) == first


@each_kind
def test_the_same_points_give_the_same_scores(kind):
    """Nothing depends on the clock, the process or chance."""
    points = usual_points(kind, 500)

    assert fed(kind, points)[1] == fed(kind, points)[1]


@each_kind
def test_a_score_knows_nothing_of_later_points(kind):
    """Scores of the first half are the same whatever follows."""
    points = usual_points(kind, 450)
    other = [*points[:300], *usual_points(kind, 450, seed=9)[300:]]

    assert fed(kind, points)[1][:300] == fed(kind, other)[1][:300]


@each_kind
def test_a_saved_detector_continues_bit_for_bit(kind):
    """Saved as JSON in the middle, all later scores and the state are the same."""
    points = usual_points(kind, 500)
    first, _ = fed(kind, points[:350])
    second = MAKERS[kind]()
    second.load(json.loads(json.dumps(first.save())))

    for at_s, point in points[350:]:
        assert second.score(at_s, point) == first.score(at_s, point)
        first.learn(at_s, point)
        second.learn(at_s, point)
    assert second.save() == first.save()


@each_kind
def test_a_state_of_another_version_is_refused(kind):
    """An old state is named, not misread."""
    detector = MAKERS[kind]()

    with pytest.raises(StateError, match="version 0"):
        detector.load(detector.save() | {"version": 0})


@each_kind
def test_the_state_stops_growing(kind):
    """Past its windows a detector is as large after more points as before."""
    sizes, enough = [], 1280 if kind == "vector" else 4100
    detector, _ = fed(kind, usual_points(kind, enough))
    for at_s, point in usual_points(kind, 200, seed=2):
        detector.learn(at_s + 300.0 * enough, point)
        if at_s % 15_000 == 0:
            sizes.append(_count(detector.save()))

    assert max(sizes) - min(sizes) <= 64  # Alarms remembered, half hours begun.


def _count(state):
    if isinstance(state, dict):
        return sum(_count(part) for part in state.values())
    return sum(map(_count, state)) if isinstance(state, list) else 1


@each_kind
def test_a_constant_series_is_never_odd(kind):
    """Nothing happens, nothing is scored."""
    points = [(n * 300.0, a_point(kind, [7.1] * FEATURES)) for n in range(450)]

    assert max(fed(kind, points)[1]) < 0.5


@each_kind
def test_an_outlier_stands_out(kind):
    """Ten spreads out is odder than any ordinary point."""
    detector, scores = fed(kind, usual_points(kind, 600))
    found = detector.score(600 * 300.0, a_point(kind, [40.0] * FEATURES))

    assert found > 0.95
    assert sum(score >= found for score in scores[300:]) == 0


@each_kind
def test_missing_points_teach_nothing(kind):
    """A hundred missing points leave the state as it was."""
    detector, _ = fed(kind, usual_points(kind, 300))
    before = detector.save()

    for n in range(100):
        missing = a_point(kind, [math.nan] * FEATURES)
        assert detector.score(1e5 + n, missing) == 0.0
        detector.learn(1e5 + n, missing)

    assert detector.save() == before
