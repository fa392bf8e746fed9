import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.anomaly.bounded_step import BoundedStep, Stepped
from streams.anomaly.guarded import Guarded, Lesson
from streams.anomaly.key_cap import KeyCap
from streams.anomaly.state import StateError
from tests.streams.anomaly.fakes import Remembering


def test_what_was_blocked_teaches_nothing():
    """A blocked point reaches neither the detector nor its key's count."""
    guarded = Guarded(Remembering())

    lesson = guarded.learn(0.0, 5.0, key="a", blocked=True)

    assert lesson is Lesson.BLOCKED
    assert guarded.detector.learned == []
    assert guarded.cap.save()["counts"] == []


def test_a_key_teaches_only_so_often_a_window():
    """A flood of one key stops at the cap; another key and another hour go on."""
    guarded = Guarded(Remembering(), KeyCap(per_window=3, window_s=3600))

    for second in range(100):
        guarded.learn(float(second), 1.0, key="flood", blocked=False)
    guarded.learn(200.0, 2.0, key="other", blocked=False)
    guarded.learn(3600.0, 3.0, key="flood", blocked=False)

    assert [point for _, point in guarded.detector.learned] == [1.0] * 3 + [2.0, 3.0]
    assert guarded.lessons == {"learned": 5, "capped": 97}


def test_a_late_event_does_not_open_its_window_again():
    """Going back in time gives no second allowance."""
    cap = KeyCap(per_window=1, window_s=10)
    cap.count(25.0, "a")

    assert not cap.admits(5.0, "a")
    assert not cap.admits(math.nan, "a")


@given(st.lists(st.tuples(st.integers(0, 50), st.text(max_size=2)), max_size=300))
def test_no_key_ever_teaches_more_than_the_cap(events):
    """Also where keys share cells: a sketch this narrow admits less, never more."""
    cap = KeyCap(per_window=2, window_s=10, width=4, rows=2)
    taught = {}
    for at_s, key in sorted(events):
        if cap.admits(at_s, key):
            cap.count(at_s, key)
            taught[at_s // 10, key] = taught.get((at_s // 10, key), 0) + 1

    assert max(taught.values(), default=0) <= 2
    assert len(cap.save()["counts"]) <= 8


def test_a_flood_moves_the_centre_by_no_more_than_is_said():
    """Twenty huge values stay under the bound that the docstring gives."""
    step = BoundedStep()
    for n in range(200):
        step.learn(math.sin(n))
    before, deviation = step.centre, step.deviation

    for _ in range(20):
        step.learn(1e12)

    growth = 1 + step.rate * (step.max_steps - 1)
    bound = (growth**20 - 1) * step.max_steps / (step.max_steps - 1) * deviation
    assert 0 < step.centre - before <= bound * (1 + 1e-9)


def test_a_true_step_of_the_level_is_followed():
    """The bound slows a new level down; it does not shut it out."""
    step = BoundedStep()
    for n in range(200):
        step.learn(math.sin(n))

    for n in range(1000):
        step.learn(100 + math.sin(n))

    assert step.centre == pytest.approx(100, abs=1)


def test_a_detector_learns_the_drawn_value_and_scores_the_true_one():
    """An outlier is judged as it is, and learned as little as allowed."""
    stepped = Stepped(Remembering())
    for n in range(100):
        stepped.learn(float(n), float(n % 2))

    stepped.learn(100.0, 1e9)
    stepped.learn(101.0, math.nan)

    assert stepped.detector.learned[100][1] < 5
    assert math.isnan(stepped.detector.learned[101][1])
    assert stepped.score(100.0, 1e9) == 1.0


@given(st.lists(st.floats(), max_size=60))
def test_any_values_leave_the_step_finite(values):
    """Infinite and missing values teach nothing; huge ones overflow nothing."""
    step = BoundedStep(grace_period=2)
    for value in values:
        step.learn(value)

    assert math.isfinite(step.centre)
    assert 0 <= step.deviation < math.inf


def test_guards_continue_where_they_were_saved():
    """Saved as JSON and loaded, caps and steps go on the same."""
    first = Guarded(Stepped(Remembering()), KeyCap(per_window=2))
    for n in range(50):
        first.learn(n * 600.0, float(n), key=f"k{n % 3}", blocked=n % 7 == 0)
    second = Guarded(Stepped(Remembering()), KeyCap(per_window=2))

    second.load(json.loads(json.dumps(first.save())))

    assert second.save() == first.save()
    assert second.learn(3e4, 9.0, "k1", False) is first.learn(3e4, 9.0, "k1", False)
    assert second.save() == first.save()


def test_a_state_of_another_version_is_refused():
    """The message says which version was found and what to do."""
    state = KeyCap().save() | {"version": 99}

    with pytest.raises(StateError, match="version 99, expected 1; learn anew"):
        KeyCap().load(state)


def test_a_cap_of_nothing_is_refused():
    """A cap of 0 would never learn; the values are named."""
    with pytest.raises(ValueError, match="per_window=0"):
        KeyCap(per_window=0)
