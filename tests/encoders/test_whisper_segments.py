import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.whisper_segments import split_tokens

T0 = 1000  # The token of 0.00 s here; 50 tokens are a second.


def split(*tokens, duration_s=20.0, complete=True):
    """Part tokens; return pieces as (start, end, text tokens), and the rest."""
    pieces, rest_s = split_tokens(
        tokens, timestamp_begin=T0, duration_s=duration_s, complete=complete
    )
    plain = [
        (p.start_s, p.end_s, [token for token in p.tokens if token < T0])
        for p in pieces
    ]
    return plain, rest_s


def test_two_timestamps_part_segments():
    """One closes a segment, the next opens another; the last is closed by one."""
    found = split(T0, 1, 2, T0 + 50, T0 + 50, 3, T0 + 100)

    assert found == ([(0.0, 1.0, [1, 2]), (1.0, 2.0, [3])], None)


def test_an_open_segment_is_decoded_again_from_its_start():
    """Whisper leaves a segment open that its window cuts."""
    found = split(T0, 1, T0 + 50, T0 + 50, 3)

    assert found == ([(0.0, 1.0, [1])], 1.0)


def test_a_text_without_an_end_is_the_whole_window():
    """The model ended by itself: all was said."""
    assert split(T0, 1, 2) == ([(0.0, 20.0, [1, 2])], None)
    assert split() == ([], None)


@pytest.mark.parametrize("behind", [(), (T0 + 50, 3), (T0 + 50,)])
def test_a_text_at_the_limit_goes_on_from_its_last_timestamp(behind):
    """What the limit of tokens cut off is not lost."""
    found = split(T0, 1, T0 + 50, *behind, complete=False)

    assert found == ([(0.0, 1.0, [1])], 1.0)


def test_a_text_at_the_limit_without_timestamps_is_decoded_anew():
    """There is no place to go on from: its window is to be parted."""
    assert split(T0, 1, 2, 3, complete=False) == ([], 0.0)


def test_in_less_than_a_second_all_is_kept():
    """A window that can't be parted any more is as good as it gets."""
    found = split(T0, 1, 2, duration_s=0.8, complete=False)

    assert found == ([(0.0, 0.8, [1, 2])], None)


def test_times_stay_within_the_sound():
    """Whisper may place an end in the padding."""
    assert split(T0, 1, T0 + 1500, duration_s=5.0)[0] == [(0.0, 5.0, [1])]


@given(
    st.lists(st.integers(1, 5) | st.integers(T0, T0 + 1500), max_size=40),
    st.booleans(),
    st.floats(0.1, 30),
)
def test_no_word_is_lost(tokens, complete, duration_s):
    """Text is in a piece, or behind the second from which all is decoded again."""
    pieces, rest_s = split_tokens(
        tokens, timestamp_begin=T0, duration_s=duration_s, complete=complete
    )
    told = [token for piece in pieces for token in piece.tokens if token < T0]
    said = [token for token in tokens if token < T0]

    assert said[: len(told)] == told
    assert rest_s is not None or told == said
    assert all(0 <= p.end_s <= duration_s for p in pieces)
