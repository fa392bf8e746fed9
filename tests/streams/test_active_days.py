import random
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.active_days import (
    KEPT_DAYS,
    ActiveDay,
    day_of,
    unpack_days,
    weekday_of,
    with_upload,
)
from tests.builders import NOON

times = st.lists(st.datetimes(timezones=st.just(NOON.tzinfo)), max_size=150)


def packed(uploads):
    """Pack uploads at these times."""
    days = b""
    for time in uploads:
        days = with_upload(days, time)
    return days


def test_a_day_is_one_row_however_much_came():
    """Its hours are a set and its uploads a count."""
    uploads = [NOON, NOON, NOON + timedelta(hours=3), NOON + timedelta(days=1)]

    first, second = unpack_days(packed(uploads))
    assert first == ActiveDay(day_of(NOON), 1 << 12 | 1 << 15, 3)
    assert (second.day, second.uploads) == (day_of(NOON) + 1, 1)


def test_days_have_their_weekdays():
    """The 23rd of November 2026 is a Monday."""
    assert weekday_of(day_of(NOON)) == NOON.weekday() == 0


@settings(max_examples=60)
@given(times, st.randoms(use_true_random=False))
def test_order_makes_no_difference_and_size_is_bounded(uploads, rng: random.Random):
    """The newest ninety days, the same bytes in any order of arrival."""
    shuffled = list(uploads)
    rng.shuffle(shuffled)

    assert packed(shuffled) == packed(uploads)
    days = unpack_days(packed(uploads))
    newest = sorted({day_of(time) for time in uploads})[-KEPT_DAYS:]
    assert [day.day for day in days] == newest


def test_what_can_not_be_rows_is_nothing():
    """A torn value is no past, not an error."""
    assert unpack_days(b"abc") == ()
