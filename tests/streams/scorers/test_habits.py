import random
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import Missing, UploaderHistory
from streams.active_days import with_upload
from streams.scorers.habits import Habits
from tests.builders import NOON, a_history, signals

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEKLY = [NOON - 7 * DAY * week for week in range(1, 53)]  # NOON is a Monday.


def known(times: list) -> UploaderHistory:
    """Build the history of uploads at these times."""
    packed = b""
    for time in times:
        packed = with_upload(packed, time)
    return a_history(active_days=packed)


def score(history: UploaderHistory, time=NOON, **fields):
    """Score an upload at this time."""
    (found,) = Habits().score(signals(event_time=time, **fields), history)
    return found


def test_a_weekly_show_at_its_time_is_usual_and_at_another_is_not():
    """Both the weekday and the hour count, and both together most."""
    history = known(WEEKLY)

    assert score(history).value < 0.5
    assert score(history, NOON + HOUR).value < 0.7
    other_hour = score(history, NOON - 9 * HOUR).value
    other_day = score(history, NOON + 2 * DAY).value
    assert 0.9 < other_hour < 0.99
    assert 0.9 < other_day < 0.99
    assert score(history, NOON + 2 * DAY - 9 * HOUR).value > 0.998


def test_the_reason_says_what_is_usual():
    """A reviewer reads the time, how rare it is, and what would be usual."""
    assert score(known(WEEKLY), NOON + 2 * DAY - 9 * HOUR).reason == (
        "Wednesday 03 h UTC: 0.1% of 52 active days lie at times so rare; "
        "most usual are Monday and 12 h"
    )


def test_nothing_is_unusual_before_ten_active_days():
    """Nine days are too few, however many uploads they had."""
    assert score(known(WEEKLY[:9] * 50), NOON + 2 * DAY).value == 0
    assert score(known(WEEKLY[:10]), NOON + 2 * DAY - 9 * HOUR).value > 0.9


def test_a_summer_hour_is_no_other_habit():
    """Clocks move by an hour twice a year."""
    assert score(known(WEEKLY), NOON - HOUR).value < 0.7


def test_a_flood_is_not_its_own_habit():
    """A thousand uploads at an odd hour leave the day's value where it was."""
    odd = NOON + 2 * DAY - 9 * HOUR
    flooded = known([*WEEKLY, *[odd + timedelta(seconds=i) for i in range(1000)]])

    assert score(flooded, odd).value == score(known(WEEKLY), odd).value
    later = odd + 7 * DAY  # A week on it weighs as one day of 53.
    assert score(known(WEEKLY), later).value - score(flooded, later).value < 0.05


def test_without_a_usable_time_there_is_no_habit():
    """An event from the future is at no hour."""
    future = (Missing("event_time", "in_future: 3 days"),)
    found = score(known(WEEKLY), NOON + 2 * DAY, missing=future)

    assert (found.value, found.reason) == (0.0, "the event's time can't be used")


@settings(max_examples=50)
@given(st.lists(st.datetimes(timezones=st.just(NOON.tzinfo)), max_size=120))
def test_the_value_is_a_share_at_any_times(times):
    """In [0, 1], whenever in two thousand years the uploads came."""
    assert 0.0 <= score(known(times)).value <= 1.0


def test_one_in_a_hundred_is_over_99_by_chance():
    """Of uploads that keep to their habits at most so many are called that rare."""
    rng = random.Random(1)
    hours, days = rng.choices(range(24), k=6), rng.choices(range(7), k=3)

    def a_time(week):
        day = rng.choice(days)
        return NOON + DAY * (7 * week + day) + HOUR * (rng.choice(hours) - 12)

    history = known([a_time(week) for week in range(90)])
    values = [score(history, a_time(week)).value for week in range(90, 1090)]
    assert sum(value > 0.99 for value in values) <= 10
