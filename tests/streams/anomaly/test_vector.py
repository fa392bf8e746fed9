import math
import random

import pytest

from streams.anomaly.state import StateError
from streams.anomaly.vector import VectorDetector


def points(count, seed=1):
    """Return vectors of two features that go together and a third that does not."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        both = rng.gauss(0, 1)
        found.append([both, 1000 + 100 * (both + rng.gauss(0, 0.2)), rng.gauss(0, 1)])
    return found


def taught(detector, vectors):
    """Teach the vectors and return the detector."""
    for vector in vectors:
        detector.learn(0.0, vector)
    return detector


def test_one_feature_far_out_is_seen_whatever_its_scale():
    """Each feature alone, twenty spreads out, is odder than 95 of 100."""
    detector = taught(VectorDetector(3), points(500))

    for feature, value in ((0, 20.0), (1, 3000.0), (2, -20.0)):
        vector = [0.0, 1000.0, 0.0]
        vector[feature] = value
        assert detector.score(0.0, vector) > 0.95


def test_an_odd_combination_of_usual_values_is_seen():
    """Features that always go together, apart: odder than most, by the trees alone."""
    detector = taught(VectorDetector(3), points(1200))
    odd = detector.score(0.0, [1.5, 850.0, 0.0])
    usual = sorted(detector.score(0.0, vector) for vector in points(100, seed=2))

    assert odd > usual[int(0.9 * len(usual))]


def test_a_missing_feature_still_leaves_a_score():
    """The others are judged."""
    detector = taught(VectorDetector(3), points(500))

    assert detector.score(0.0, [math.nan, math.nan, 20.0]) > 0.9


def test_nothing_is_scored_before_the_first_window():
    """A score of 0 until 270 vectors are known."""
    detector = taught(VectorDetector(3), points(200))

    assert detector.score(0.0, [1e6, 1e6, 1e6]) == 0.0


def test_another_seed_draws_other_trees():
    """The seed is used."""
    first = taught(VectorDetector(3, seed=1), points(300))
    second = taught(VectorDetector(3, seed=2), points(300))
    asked = points(50, seed=3)

    assert [first.score(0.0, p) for p in asked] != [second.score(0.0, p) for p in asked]


def test_a_vector_of_another_length_is_refused():
    """A wrong length is a fault of the caller's, named with both lengths."""
    with pytest.raises(ValueError, match="2 features, expected 3"):
        VectorDetector(3).score(0.0, [1.0, 2.0])


def test_a_state_of_other_features_is_refused():
    """Two features' state does not load into three."""
    with pytest.raises(StateError, match="2 features, expected 3"):
        VectorDetector(3).load(VectorDetector(2).save())
