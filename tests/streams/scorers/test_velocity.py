import random
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import Missing, UploaderHistory
from streams.scorers.velocity import Velocity
from tests.builders import NOON, a_history, a_recent, signals

DAY_S = 86_400


def value(history: UploaderHistory, at_s: float = 0.0) -> float:
    """Score an upload at this time."""
    (score,) = Velocity().score(signals("now", at_s=at_s), history)
    return score.value


def a_burst(count: int, every_s: float = 4.0) -> UploaderHistory:
    """Build a history of uploads that end just before NOON."""
    return a_history([a_recent(f"c{i}", -every_s * (i + 1)) for i in range(count)])


def test_thirty_uploads_in_two_minutes_by_someone_new_are_very_fast():
    """The thirtieth upload within two minutes scores above 0.9 and says why."""
    (score,) = Velocity().score(signals("now"), a_burst(29))

    assert score.value > 0.9
    assert score.reason == (
        "30 uploads within an hour, up to 10 expected; usually 0.0 a day"
    )


def test_an_album_is_not_fast():
    """A dozen tracks within an hour stay below one half."""
    assert value(a_burst(11, every_s=200)) < 0.5


def test_an_upload_a_day_is_not_fast_at_all():
    """A daily uploader scores zero, however long it goes on."""
    daily = a_history([a_recent(f"c{i}", -i * DAY_S) for i in range(1, 100)])

    assert value(daily) == 0


def test_who_usually_uploads_much_may_upload_much():
    """A burst that is usual for this uploader is usual."""
    long_ago = NOON - timedelta(days=30)
    usual = a_history(a_burst(29).recent, uploads=30 * 50, first_seen=long_ago)
    rare = a_history(a_burst(29).recent, uploads=29 + 30, first_seen=long_ago)

    assert value(usual) == 0
    assert value(rare) > 0.9


def test_a_late_event_does_not_make_an_uploader_busy():
    """A burst dated before everything known is not taken for the usual rate."""
    burst = a_burst(29).recent
    years = a_history(
        burst, uploads=29 + 700, first_seen=NOON, last_seen=NOON + timedelta(days=700)
    )

    assert value(years) > 0.9


def test_a_slow_flood_shows_in_the_day():
    """A hundred uploads a day show even where no hour has many."""
    (score,) = Velocity().score(signals("now"), a_burst(100, every_s=800))

    assert score.value > 0.8
    assert "within a day" in score.reason


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_more_uploads_are_never_less_risky(few, more):
    """The value grows with the count."""
    few, more = sorted((few, more))

    assert value(a_burst(few)) <= value(a_burst(more))


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(rng: random.Random):
    """The same set of uploads gives the same value in any order."""
    burst = a_burst(29)
    shuffled = list(burst.recent)
    rng.shuffle(shuffled)

    assert value(a_history(shuffled)) == value(burst)
    assert value(a_history(shuffled), at_s=-200) == value(burst, at_s=-200) > 0.9


def test_what_was_not_learned_is_not_counted():
    """Blocked and provisional uploads leave the rate as it was."""
    blocked = [a_recent(f"c{i}", -i, learned=False) for i in range(60)]

    assert value(a_history(blocked)) == 0


def test_without_a_usable_time_there_is_no_rate():
    """An event from the future is not fast; its reason says that nothing is known."""
    late = signals("now", missing=(Missing("event_time", "in_future: 3 days"),))

    (score,) = Velocity().score(late, a_burst(60))

    assert (score.value, score.reason) == (0.0, "the event's time can't be used")
