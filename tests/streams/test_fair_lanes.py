from hypothesis import given
from hypothesis import strategies as st

from streams.fair_lanes import UploaderRates

S = 1000  # Milliseconds.


def taken(rates, uploader, times_ms):
    """Return how many uploads at these times went through."""
    return sum(rates.takes(uploader, time_ms) for time_ms in times_ms)


def test_a_burst_goes_through_and_a_flood_does_not():
    """An album passes; ten thousand uploads at once do not."""
    rates = UploaderRates(burst=32, per_s=1)

    assert taken(rates, "album", [0] * 20) == 20
    assert taken(rates, "flood", [0] * 10_000) == 32


def test_a_bucket_fills_with_the_records_own_time():
    """Ten seconds later ten more pass, whenever they are read."""
    rates = UploaderRates(burst=32, per_s=1)
    taken(rates, "u", [0] * 32)

    assert taken(rates, "u", [10 * S] * 50) == 10


def test_uploaders_do_not_count_for_one_another():
    """A flood takes nothing from anybody else."""
    rates = UploaderRates(burst=2, per_s=1)
    taken(rates, "flood", [0] * 1000)

    assert rates.takes("other", 0)


def test_times_that_go_back_earn_nothing_and_cost_nothing():
    """Partitions are read side by side; a record without a time comes now."""
    rates = UploaderRates(burst=1, per_s=1)

    assert rates.takes("u", 100 * S)
    assert not rates.takes("u", 50 * S)
    assert not rates.takes("u", -1)
    assert rates.takes("u", 101 * S)


def test_memory_is_bounded_and_the_longest_unseen_go_first():
    """Whoever floods is seen all the time, so is not forgotten."""
    rates = UploaderRates(burst=1, per_s=0.001, most_uploaders=3)
    passed = 0
    for n in range(10):
        passed += rates.takes("flood", 0)
        rates.takes(f"u{n}", 0)

    assert len(rates._buckets) == 3
    assert passed == 1


@given(st.lists(st.integers(0, 100 * S), max_size=300), st.integers(1, 20))
def test_never_more_than_the_burst_and_the_rate(times_ms, burst):
    """Over any stretch: at most the burst and what its seconds earned."""
    rates = UploaderRates(burst=burst, per_s=2)
    passed = taken(rates, "u", times_ms)

    assert passed <= burst + 2 * max(times_ms, default=0) / S + 1
