from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import Kind, MediaFact, UploaderHistory
from streams.scorers.pattern import PatternScorer
from streams.upload_pattern import with_pattern
from tests.builders import NOON, a_history, an_event, signals

WORDS = ("gold", "river", "night train", "summer", "home", "little rain")


def an_upload(title=None, length_s=None, day=0, kind=Kind.PODCAST_EPISODE):
    """Build an upload with a title, a sound, or both."""
    texts = () if title is None else (("title", title),)
    at = NOON + timedelta(days=day)
    sound = MediaFact("audio", "audio/flac", 1, "", True, length_s)
    event = an_event(event_time=at, kind=kind, texts=texts)
    return signals(event=event, media=() if length_s is None else (sound,))


def a_show(episodes=40, every_day=1) -> UploaderHistory:
    """Build the history of a show: numbered titles, about an hour each."""
    packed = b""
    for n in range(episodes):
        title = f"#{n + 1} - {WORDS[n % 6]} {WORDS[n % 5]}".title()
        packed = with_pattern(packed, an_upload(title, 3300 + 50 * (n % 12), n))
    return a_history(patterns=packed)


def score(upload, history=None):
    """Score an upload against the show."""
    (found,) = PatternScorer().score(upload, history or a_show())
    return found


def test_an_episode_like_the_others_is_usual():
    """Its own form and length, with other words, scores zero."""
    found = score(an_upload("#41 - A Home For Summer Rain", 3500))

    assert (found.value, found.reason) == (0.0, "like 40 earlier uploads")


def test_a_short_shout_with_a_link_is_not():
    """Another length, capitals, a link and another form; the reason says so."""
    found = score(an_upload("WIN $$$ NOW WWW.EXAMPLE.COM", 20))

    assert found.value > 0.98
    assert "20 s long, usually about 3," in found.reason
    assert "1 links in title, usually 0" in found.reason


@pytest.mark.parametrize(
    "odd",
    [
        an_upload("#41 - River Home", 120),  # A short one.
        an_upload("Night Train Home", 3400),  # Unnumbered.
        an_upload("#41 - RIVER HOME", 3400),  # Shouted.
        an_upload("#41 - River www.example.com", 3400),  # With a link.
    ],
)
def test_one_difference_alone_stays_under_the_policys_threshold(odd):
    """A trailer or a title in another form is not what an attack looks like."""
    assert score(odd).value < 0.98


def test_what_comes_a_few_times_becomes_usual():
    """After three trailers the fourth is like its like, not like the mean."""
    trailer = an_upload("Trailer: Gold River", 90)
    packed = a_show().patterns
    for day in range(3):
        packed = with_pattern(packed, an_upload("Trailer: Home", 95, 50 + day))

    assert score(trailer).value > 0.9
    assert score(trailer, a_history(patterns=packed)).value < 0.1


def test_a_flood_does_not_become_usual_in_a_day():
    """A thousand spam uploads of one day leave four rows, and most of the rest."""
    packed = a_show().patterns
    spam = an_upload("WIN $$$ NOW WWW.EXAMPLE.COM", 20, 60)
    for _ in range(1000):
        packed = with_pattern(packed, spam)

    flooded = a_history(patterns=packed)
    assert score(an_upload("#41 - River", 3500), flooded).value == 0
    assert len(packed) - len(a_show().patterns) == 4 * 19


def test_too_little_is_known_of_another_kind():
    """A show's first video is compared with nothing."""
    found = score(an_upload("WIN $$$", 20, kind=Kind.VIDEO))

    assert (found.value, found.reason) == (
        0.0,
        "0 uploads alike in kind, 10 needed",
    )


def test_an_upload_without_length_and_title_has_no_pattern():
    """A cover alone gives no score."""
    assert PatternScorer().score(an_upload(), a_show()) == ()


@settings(max_examples=60)
@given(
    title=st.none() | st.text(max_size=40),
    length_s=st.none() | st.floats(allow_nan=True),
    known=st.lists(st.tuples(st.text(max_size=20), st.floats(0, 1e9)), max_size=30),
)
def test_any_title_and_length_give_a_value_in_bounds(title, length_s, known):
    """Never an exception, never out of [0, 1], the same when asked again."""
    packed = b""
    for day, (other, other_s) in enumerate(known):
        packed = with_pattern(packed, an_upload(other, other_s, day))
    upload, history = an_upload(title, length_s), a_history(patterns=packed)

    scores = PatternScorer().score(upload, history)
    assert scores == PatternScorer().score(upload, history)
    assert all(0.0 <= found.value <= 1.0 and found.reason for found in scores)
