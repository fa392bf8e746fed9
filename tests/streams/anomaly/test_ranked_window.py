import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.anomaly.ranked_window import RankedWindow

NUMBERS = st.floats(0, 1e150)


def test_a_surprise_is_the_share_of_values_as_high():
    """Two of four known are as high; with itself that is 3 of 5."""
    window = RankedWindow(10, [1.0, 2.0, 3.0, 4.0])

    assert window.surprise(3.0) == pytest.approx(math.log10(5 / 3))
    assert window.surprise(0.5) == 0.0


def test_a_record_grows_with_its_height_within_a_limit():
    """Ten times the largest is half a decade more; a billion times, one and a half."""
    window = RankedWindow(10, [1.0] * 9)

    assert window.surprise(10.0) == pytest.approx(1.5)
    assert window.surprise(1e9) == pytest.approx(2.5)


def test_novelty_is_the_distance_to_the_third_nearest():
    """Nearest are 5, 7 and 1; where fewer are known, the farthest of them."""
    assert RankedWindow(10, [1.0, 5.0, 7.0, 100.0]).novelty(5.0, 3) == 4.0
    assert RankedWindow(10, [1.0]).novelty(5.0, 3) == 4.0
    assert RankedWindow(10).novelty(5.0, 3) == 0.0


@given(st.lists(NUMBERS, max_size=60), NUMBERS)
def test_what_has_left_the_window_counts_no_more(values, asked):
    """A window fed value by value is the same as one made of the last ones."""
    window = RankedWindow(7)
    for value in values:
        window.add(value)

    fresh = RankedWindow(7, values[-7:])
    assert window.values() == values[-7:]
    assert window.surprise(asked) == fresh.surprise(asked)
    assert window.novelty(asked, 3) == fresh.novelty(asked, 3)


@given(st.lists(NUMBERS, min_size=1, max_size=30), NUMBERS, NUMBERS)
def test_a_higher_value_is_never_less_surprising(values, one, other):
    """Surprise is monotone."""
    window = RankedWindow(30, values)
    low, high = sorted((one, other))

    assert window.surprise(low) <= window.surprise(high)
