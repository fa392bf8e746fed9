import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.signals import Span
from encoders.text_split import split_text

_TOKEN = re.compile(r"\w{1,4}|\S")


def starts(text):
    """Cut words into tokens of four letters, as a word-piece tokenizer might."""
    return [match.start() for match in _TOKEN.finditer(text)]


def pieces(text, window_tokens=8):
    """Cut a text into strings."""
    spans = split_text(text, starts, window_tokens)
    return [text[span.start_char : span.end_char] for span in spans]


@pytest.mark.parametrize("text", ["", " ", "\n\t \u2003"])
def test_a_blank_text_has_no_spans(text):
    """There is nothing to embed in blanks."""
    assert split_text(text, starts, 8) == ()


def test_a_short_text_is_one_span_without_its_blanks():
    """What fits is not cut, only trimmed."""
    assert split_text("  one two.  ", starts, 8) == (Span(2, 10),)


def test_sentences_stay_whole():
    """A long text is cut behind a sentence where one ends in the window's last half."""
    text = "One two six ten. Ten six two now. And yet more is to!"

    assert pieces(text) == [
        "One two six ten.",
        "Ten six two now.",
        "And yet more is to!",
    ]


def test_words_stay_whole():
    """A sentence that is too long is cut between words."""
    text = "one two six ten and now yet more of the same"

    assert pieces(text) == ["one two six ten and now yet more", "of the same"]


def test_a_monster_word_is_cut():
    """A word longer than the window is cut anyway, and nothing of it is lost."""
    assert pieces("a" * 70) == ["a" * 32, "a" * 32, "a" * 6]


def test_chinese_sentences_end_without_a_space():
    """The full-width full stop is an end of sentence."""
    assert pieces("一二三四五。六七八九十", 4) == ["一二三四五。", "六七八九十"]


@given(st.text(alphabet="ab .!\n。é\u0301🙂\ud800", max_size=400), st.integers(4, 12))
def test_spans_cover_the_ink_in_order_and_fit(text, window_tokens):
    """Nothing is lost, nothing overlaps, blanks are trimmed, each span fits."""
    spans = split_text(text, starts, window_tokens)

    covered = "".join(text[span.start_char : span.end_char] for span in spans)
    assert "".join(covered.split()) == "".join(text.split())
    for before, after in pairwise(spans):
        assert before.end_char <= after.start_char
    for span in spans:
        part = text[span.start_char : span.end_char]
        assert part == part.strip() != ""
        assert len(starts(part)) <= window_tokens


@pytest.mark.parametrize("unit", [".", "a", "a ", '."', " \n", "a. ", "。"])
def test_ten_times_the_text_takes_ten_times_as_long(unit):
    """No input makes splitting quadratic: work grows as the text does."""
    small, large = unit * (50_000 // len(unit)), unit * (500_000 // len(unit))
    seconds = []
    for text in (small, large):
        before = time.process_time()
        split_text(text, starts, 254)
        seconds.append(time.process_time() - before)

    assert seconds[1] < 40 * max(seconds[0], 0.005)  # Quadratic would be 100 times.
