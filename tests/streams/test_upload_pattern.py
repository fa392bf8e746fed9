from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import Kind, MediaFact
from streams.upload_pattern import (
    KEPT_PATTERNS,
    NONE,
    PER_DAY,
    pattern_of,
    template_of,
    unpack_patterns,
    with_pattern,
)
from tests.builders import NOON, an_event, signals


def an_upload(title="Artist - Song", lengths=(180.0,), day=0):
    """Build an upload with sounds of these lengths."""
    at = NOON + timedelta(days=day)
    event = an_event(event_time=at, texts=(("title", title),))
    sounds = [
        MediaFact(f"a{i}", "audio/flac", 1, "", True, s) for i, s in enumerate(lengths)
    ]
    return signals(event=event, media=tuple(sounds))


@pytest.mark.parametrize(
    ("title", "template"),
    [
        ("Artist - Title #12", "a - a #9"),
        ("Someone Else - Another Long Title #3", "a - a #9"),
        ("What's up?", "a"),
        ("Song (Live) [feat. Echo]", "a (a) [a]"),
        ("夜の川 2", "a 9"),
        ("नदी की रात", "a"),
        ("🔥🔥 hot", "* a"),
        ("", ""),
    ],
)
def test_a_template_is_a_titles_form(title, template):
    """Words, numbers and symbols stand for themselves, whatever they are."""
    assert template_of(title) == template


def test_the_numbers_are_steps():
    """Twice as long is a hundred; shares and links have their weights."""
    pattern = pattern_of(an_upload("AB12 www.example.com", (3.0, 7.0)))

    assert pattern.duration == 300  # log2(1 + 7).
    assert pattern.digits == 400 * 2 // 20
    assert pattern.links == 300
    assert pattern.kind == list(Kind).index(Kind.TRACK)


def test_parts_that_lack_are_told_from_zeros():
    """A sound without a length and a title of nothing are different things."""
    assert pattern_of(an_upload("", (None,))).duration == NONE
    assert pattern_of(an_upload("", (float("nan"),))).duration == NONE
    assert pattern_of(an_upload("", (0.0,))).duration == 0
    assert pattern_of(signals()) is None


def test_a_day_teaches_four_patterns_at_most():
    """The flood's first four, whatever came later that day."""
    packed = b""
    for number in range(50):
        packed = with_pattern(packed, an_upload(f"{number} {'x' * number}"))

    assert len(unpack_patterns(packed)) == PER_DAY


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(-9000, 9000), st.text(max_size=9)), max_size=90))
def test_the_newest_are_kept_and_size_is_bounded(uploads):
    """In order of days, however they came; late ones fall in place or out."""
    packed = b""
    for day, title in uploads:
        packed = with_pattern(packed, an_upload(title, day=day))

    days = [pattern.day for pattern in unpack_patterns(packed)]
    assert days == sorted(days)
    assert len(days) <= KEPT_PATTERNS
    assert all(days.count(day) <= PER_DAY for day in days)


def test_a_huge_title_is_read_in_bounded_time():
    """A title of a megabyte counts whole by length and by its start in form."""
    pattern = pattern_of(an_upload("A" * 2**20))

    assert pattern.length == 2000
    assert pattern.capitals == 300


def test_what_can_not_be_rows_is_nothing():
    """A torn value is no past, not an error."""
    assert unpack_patterns(b"abc") == ()
