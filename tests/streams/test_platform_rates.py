import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.platform_rates import PlatformRates
from tests.streams.platform_traffic import START_S, WINDOW_S, steps_of


def rates_of(share=0.01, uploads=8000, seed=0):
    """Build rates that know one series well, and the time they have come to."""
    rng, rates = random.Random(seed), PlatformRates(("spam",), WINDOW_S)
    for number in range(uploads):
        hits = ("spam",) if rng.random() < share else ()
        rates.observe(f"u{rng.randrange(10_000)}", START_S + number / 10, hits)
    return rates, START_S + uploads / 10


def test_stationary_traffic_shows_no_step():
    """None in 40,000 uploads over thirteen shares; more in `platform_traffic`."""
    assert list(steps_of(40_000, seed=3)) == []


@pytest.mark.parametrize(("grown", "most"), [("s0.01", 1200), ("s0.05", 400)])
def test_an_incident_is_a_step(grown, most):
    """Five times as much is told within so many uploads, by its name and since when."""
    told = list(steps_of(10_000 + most, 4, grown))

    ((number, step),) = told
    assert step.series == grown
    assert step.new_rate > 2 * step.old_rate
    began = (step.since_s - START_S) * 10
    assert 9_000 < began <= number


def test_the_end_of_an_incident_is_a_step_too():
    """The share that was told becomes the usual one, and the old one a fall."""
    rng, told = random.Random(1), []
    rates, now_s = rates_of(0.02)
    for number in range(8000):
        share = 0.4 if number < 2000 else 0.02
        hits = ("spam",) if rng.random() < share else ()
        told += rates.observe(f"v{number}", now_s + number / 10, hits)[1]

    up, down = told
    assert (up.old_rate < 0.03, up.new_rate > 0.2) == (True, True)
    assert down.new_rate < 0.15
    assert down.since_s >= now_s + 190


def test_a_flood_of_one_uploader_is_no_incident():
    """Thirty thousand bad uploads among others' show no step and move nothing."""
    rng, told = random.Random(2), []
    rates, now_s = rates_of()
    usual = rates.rates()["spam"]
    for number in range(30_000):
        told += rates.observe("flooder", now_s + number / 10, ("spam",))[1]
        if number % 10 == 0:
            hits = ("spam",) if rng.random() < 0.01 else ()
            told += rates.observe(f"u{number}", now_s + number / 10, hits)[1]

    assert told == []
    # Three of 63 uploads a window count, and none of them as many.
    assert rates.rates()["spam"] < usual + 3 / 63


def test_hundreds_of_uploaders_are_one():
    """What one uploader can't do, four hundred with a few uploads each can."""
    rates, now_s = rates_of()
    told = []
    for number in range(400):
        steps = rates.observe(f"bot{number}", now_s + number / 10, ("spam",))[1]
        told += [number for _ in steps]

    assert told
    assert told[0] < 30


def test_a_time_far_ahead_closes_nobodys_window():
    """An upload dated next year neither counts for now nor stops what does."""
    rates, now_s = rates_of()
    rates.observe("odd", now_s + 3e7, ("spam",))

    counts = [rates.observe("u", now_s, ())[0] for _ in range(4)]
    assert counts == [True, True, True, False]


uploads = st.tuples(
    st.sampled_from("abcdef"), st.floats(-1e12, 1e12), st.sets(st.sampled_from("xyz"))
)


@settings(max_examples=60)
@given(st.lists(uploads, max_size=200))
def test_any_order_of_times_is_taken(events):
    """Shares stay in [0, 1], and the same events in a row give the same."""
    first, second = (PlatformRates("xyz", WINDOW_S) for _ in range(2))

    for uploader, at_s, hits in events:
        assert first.observe(uploader, at_s, hits) == second.observe(
            uploader, at_s, hits
        )
    assert first.rates() == second.rates()
    assert all(0.0 <= rate <= 1.0 for rate in first.rates().values())


def test_memory_is_bounded():
    """However many uploaders, windows and hits there are."""
    rng, rates = random.Random(5), PlatformRates(("spam",), WINDOW_S)
    for number in range(20_000):
        at_s = START_S + rng.randrange(12) * WINDOW_S
        rates.observe(f"u{number}", at_s, ("spam",))

    windows = rates._windows._open
    assert len(windows) <= 4
    assert sum(len(window.uploads) for window in windows.values()) <= 4 * 4096
