import math
import random

from streams.anomaly.univariate import VIEWS, UnivariateDetector

STEP_S = 300.0
A_DAY = 288


def a_rhythm(days, seed=1):
    """Return points of a daily wave with noise, every five minutes."""
    rng = random.Random(seed)
    return [
        (n * STEP_S, 100 + 50 * math.sin(2 * math.pi * n / A_DAY) + rng.gauss(0, 3))
        for n in range(days * A_DAY)
    ]


def taught(points):
    """Return a detector that learned the points."""
    detector = UnivariateDetector()
    for at_s, value in points:
        detector.learn(at_s, value)
    return detector


def test_the_night_value_at_noon_is_odd():
    """A value that is usual at another hour is unusual at this one."""
    detector = taught(a_rhythm(10))
    peak_s, trough_s = (10 * A_DAY + 72) * STEP_S, (10 * A_DAY + 216) * STEP_S

    assert detector.score(trough_s, 50.0) < 0.9
    assert detector.score(peak_s, 50.0) > 0.95


def test_a_step_of_the_level_alarms_and_then_becomes_usual():
    """An incident shows once; weeks on the new level it is the level."""
    detector = taught(a_rhythm(10))
    scores = []
    for at_s, value in a_rhythm(21, seed=2):
        scores.append(detector.score(at_s + 10 * A_DAY * STEP_S, value + 200))
        detector.learn(at_s + 10 * A_DAY * STEP_S, value + 200)

    assert max(scores[:3]) > 0.99
    assert sum(score > 0.99 for score in scores[-3 * A_DAY :]) == 0


def test_one_incident_gives_few_alarms():
    """An hour of odd values is not an hour of alarms."""
    detector = taught(a_rhythm(10))
    rng, alarms = random.Random(3), 0
    for n in range(12):
        at_s, value = (10 * A_DAY + n) * STEP_S, 400 + rng.gauss(0, 3)
        alarms += detector.score(at_s, value) > 0.95
        detector.learn(at_s, value)

    assert 1 <= alarms <= 2


def test_an_explanation_names_every_view():
    """A spike is beyond the day's envelope, and says so first."""
    found = taught(a_rhythm(10)).explain(10 * A_DAY * STEP_S, 500.0)

    assert tuple(found) == VIEWS
    assert found["beyond"] > 2.5


def test_an_unscored_point_is_learned_the_same():
    """Learning does not lean on a score before it, nor on one of another value."""
    points = a_rhythm(2)
    scored = UnivariateDetector()
    for at_s, value in points:
        scored.score(at_s, value)
        scored.score(at_s, -value)
        scored.learn(at_s, value)

    assert scored.save() == taught(points).save()
