from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import UploaderHistory
from streams.active_days import with_upload
from streams.scorers.dormancy import Dormancy
from tests.builders import NOON, a_history, signals

DAY = timedelta(days=1)
WEEKLY = [NOON - 400 * DAY - 7 * DAY * week for week in range(20)]


def known(*times) -> UploaderHistory:
    """Build the history of uploads at these times."""
    packed = b""
    for time in times:
        packed = with_upload(packed, time)
    return a_history(active_days=packed)


def score(history: UploaderHistory, time=NOON):
    """Score an upload at this time."""
    (found,) = Dormancy().score(signals(event_time=time), history)
    return found


def test_a_burst_after_a_year_is_a_woken_account():
    """The fiftieth upload of the week says how many came after how long."""
    burst = [NOON - timedelta(minutes=i) for i in range(49)]
    found = score(known(*WEEKLY, *burst))

    assert found.value > 0.98
    assert found.reason == (
        "50 uploads in a week after 400 days of silence; up to 12 after 60 days are "
        "nothing unusual here"
    )


def test_an_album_after_a_year_is_no_burst():
    """Twelve tracks are free after any silence, and a few more are little."""
    album = [NOON - timedelta(minutes=i) for i in range(11)]

    assert score(known(*WEEKLY, *album)).value == 0
    assert score(known(*WEEKLY, *album, *album[:3])).value < 0.5


def test_a_burst_without_silence_is_not_dormancys():
    """Who uploaded a month ago was never away."""
    burst = [NOON - timedelta(minutes=i) for i in range(49)]

    assert score(known(NOON - 30 * DAY, *burst)).value == 0


def test_who_always_comes_back_with_much_is_as_usual():
    """Thirty uploads a year, all at once, are this uploader's way."""
    years = [
        NOON - 365 * DAY * y - timedelta(minutes=i) for y in (1, 2) for i in range(30)
    ]
    burst = [NOON - timedelta(minutes=i) for i in range(29)]

    assert score(known(*years, *burst)).value == 0
    assert score(known(*years[:30], *burst)).value == 0


def test_a_new_account_has_no_silence_behind_it():
    """Nothing is known from before this week, so nothing is said."""
    found = score(known(*[NOON - timedelta(minutes=i) for i in range(49)]))

    assert (found.value, found.reason) == (
        0.0,
        "no uploads known from before this week",
    )


def test_a_burst_spread_over_the_week_counts_together():
    """Seven a day for a week is seen on its last day."""
    spread = [NOON - timedelta(days=d, hours=h) for d in range(7) for h in range(7)]

    assert score(known(*WEEKLY, *spread)).value > 0.9


def test_a_late_upload_is_seen_from_its_own_day():
    """What came after it is not its burst; what came before is its past."""
    later = [NOON + DAY * 40 - timedelta(minutes=i) for i in range(49)]

    assert score(known(*WEEKLY, *later)).value == 0


times = st.lists(st.integers(0, 2_000), max_size=60)


@settings(max_examples=60)
@given(times, st.integers(0, 2_000))
def test_the_value_is_in_bounds_and_order_makes_no_difference(days, now):
    """Any set of days gives one value in [0, 1]."""
    at = [NOON + DAY * day for day in days]
    value = score(known(*at), NOON + DAY * now).value

    assert 0.0 <= value <= 1.0
    assert value == score(known(*reversed(at)), NOON + DAY * now).value


@given(st.integers(0, 80), st.integers(0, 80))
def test_more_uploads_after_a_silence_are_never_less_risky(few, more):
    """The value grows with the count."""
    few, more = sorted((few, more))
    burst = [NOON - timedelta(minutes=i) for i in range(more)]

    small = score(known(*WEEKLY, *burst[:few])).value
    assert small <= score(known(*WEEKLY, *burst)).value
