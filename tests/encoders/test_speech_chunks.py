from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from encoders.speech_chunks import find_chunks

QUIET = np.ones(4000, np.float32)


def frames(*runs):
    """Build frames that are speech within each (start, end)."""
    is_speech = np.zeros(4000, np.bool_)
    for start, end in runs:
        is_speech[start:end] = True
    return is_speech


def test_no_speech_gives_no_chunks():
    """A recogniser is not asked about what is no speech."""
    assert find_chunks(frames(), QUIET) == []
    assert find_chunks(frames()[:0], QUIET[:0]) == []


def test_speech_gets_a_margin():
    """0.3 s around speech are kept, as the detector comes late."""
    assert find_chunks(frames((100, 200)), QUIET) == [(90, 210)]


def test_a_click_is_not_speech():
    """A tenth of a second alone is no word."""
    assert find_chunks(frames((100, 104)), QUIET) == []


def test_short_pauses_stay_and_long_ones_part():
    """Under two seconds a pause belongs to the piece, above it parts two."""
    chunks = find_chunks(frames((100, 200), (250, 300), (400, 500)), QUIET)

    assert chunks == [(90, 310), (390, 510)]


def test_long_speech_is_cut_in_a_pause():
    """A piece ends in a breath before 30 s, not in the middle of a word."""
    chunks = find_chunks(frames((0, 900), (905, 1500)), QUIET)

    assert chunks == [(0, 900), (900, 1510)]


def test_speech_without_a_pause_is_cut_where_it_is_quietest():
    """Without a pause, the quietest moment of the last ten seconds is taken."""
    energies = np.full(4000, 5, np.float32)
    energies[777] = 1

    assert find_chunks(frames((0, 1500)), energies)[0] == (0, 777)


@given(hnp.arrays(np.bool_, st.integers(0, 4000)))
def test_chunks_are_in_order_apart_and_short(is_speech):
    """Pieces never overlap, and none is longer than 30 s."""
    chunks = find_chunks(is_speech, QUIET[: len(is_speech)])

    assert all(0 <= start < end <= len(is_speech) for start, end in chunks)
    assert all(end - start <= 1000 for start, end in chunks)
    assert all(a[1] <= b[0] for a, b in pairwise(chunks))
