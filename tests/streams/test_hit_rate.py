"""Facts about telling that a rule's hit rate has jumped."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.hit_rate import DAYS, HitRate, poisson_upper

HOURLY = 400  # Uploads a day in these tests.


def observed(state, day, is_hit):
    """Observe one upload."""
    return state.hit(day) if is_hit else state.missed(day, 1)


def after(rates, seed=1, state=None):
    """Observe a day of uploads at each rate."""
    dice = random.Random(seed)
    state = state or HitRate()
    first = state.days[-1].day + 1 if state.days else 0
    for day, rate in enumerate(rates, first):
        for _ in range(HOURLY):
            state = observed(state, day, dice.random() < rate)
    return state


def uploads_until_told(state, rate, seed, most=5000):
    """Count uploads of a further day until the jump is told; None if it is not."""
    dice = random.Random(seed)
    day = state.days[-1].day + 1
    for count in range(1, most + 1):
        state = observed(state, day, dice.random() < rate)
        if state.has_jumped():
            return count
    return None


def test_nothing_is_told_before_there_is_a_past():
    """A new rule has no usual rate: its first day may be anything."""
    state = after([1.0])

    assert state.bound is None
    assert not state.has_jumped()


@pytest.mark.parametrize(("rate", "within"), [(0.1, 1000), (0.3, 100), (0.9, 40)])
def test_a_jump_is_told_within_few_uploads(rate, within):
    """From one in a hundred: the wilder, the sooner."""
    usual = after([0.01] * 7)

    told = [uploads_until_told(usual, rate, seed) for seed in range(10)]

    assert max(told) <= within


def test_the_usual_rate_is_no_jump():
    """Nor is double of it; in 25,000 uploads of either nobody is alarmed."""
    usual = after([0.02] * 7)
    for rate in (0.02, 0.04):
        for seed in range(5):
            assert uploads_until_told(usual, rate, seed) is None


def test_false_alarms_are_as_rare_as_said():
    """At the bound itself and 1 / alpha = 100, over 150 runs of 100 uploads."""
    usual = after([0.05] * 7)
    alarms = 0
    for seed in range(150):
        dice, state = random.Random(seed), usual.accepted()
        for _ in range(100):
            state = observed(state, 99, dice.random() < usual.bound)
            if state.has_jumped(alpha=0.01):
                alarms += 1
                break

    assert alarms / 150 < 0.63  # A run length of 100 at least: 1 - 1/e by 100.


def test_today_is_not_its_own_past():
    """A jump at noon does not become usual by the evening."""
    usual = after([0.01] * 7)
    jumped = after([0.5], state=usual)

    assert jumped.bound == pytest.approx(after([0.01] * 7 + [0.01]).bound, rel=0.3)
    assert jumped.has_jumped()


def test_a_person_can_say_it_is_well():
    """What was told is void, and told again only if it goes on."""
    jumped = after([0.5], state=after([0.01] * 7))

    assert not jumped.accepted().has_jumped()


@given(st.lists(st.integers(0, 60), max_size=40))
def test_a_row_of_misses_is_as_many_single_ones(rows):
    """Rules that seldom hit are brought up to date when they do."""
    alone = together = after([0.05] * 2)
    for misses in rows:
        together = together.missed(9, misses).hit(9)
        for _ in range(misses):
            alone = alone.missed(9, 1)
        alone = alone.hit(9)

    assert together.days == alone.days
    assert together.evidence == pytest.approx(alone.evidence)


@given(st.lists(st.tuples(st.integers(-5, 40), st.booleans()), max_size=400))
def test_the_state_is_bounded_whatever_comes(uploads):
    """Late and far days, all hits or none."""
    state = HitRate()
    for day, hit in uploads:
        state = observed(state, day, hit)

    assert len(state.days) <= DAYS + 1
    assert sum(c.uploads for c in state.days) <= len(uploads)
    assert [c.day for c in state.days] == sorted({c.day for c in state.days})
    assert 0.0 < state.e_value < 1e30


@pytest.mark.parametrize(
    ("events", "exact"), [(0, 2.996), (1, 4.744), (10, 16.962), (100, 118.08)]
)
def test_the_bound_on_a_rate_is_the_known_one(events, exact):
    """Garwood's exact upper 95 % limits: half the chi-square quantile."""
    assert poisson_upper(events) == pytest.approx(exact, abs=0.12)
