from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from encoders.signals import Waveform
from encoders.voice import FRAME_SAMPLES, VoiceSettings
from encoders.windows import WINDOW_S, Windower
from tests.fakes import hears_everything
from tests.speech_builders import noise, silence

FRAME_S = FRAME_SAMPLES / 16_000


class LevelDetector:
    """Takes a frame's first sample for its probability of being voice."""

    name = "level"
    settings = VoiceSettings()

    def probabilities(self, frames):
        """Return the first column."""
        return frames[:, 0].copy()


def a_sound(*runs):
    """Build a sound from (seconds, probability of voice)."""
    return Waveform(
        np.concatenate(
            [np.full(round(s * 16_000), p, np.float32) for s, p in runs]
            or [np.zeros(0, np.float32)]
        )
    )


def windows_of(sound, *cuts):
    """Feed a sound in parts."""
    windower, edges = Windower(LevelDetector()), [0, *sorted(cuts), len(sound.samples)]
    found = []
    for start, end in pairwise(edges):
        found += windower.feed(Waveform(sound.samples[start:end]))
    return found + windower.finish()


def spans(sound):
    """Return (start, end) of windows, in seconds."""
    return [
        (round(w.start_s, 1), round(w.start_s + w.waveform.duration_s, 1))
        for w in windows_of(sound)
    ]


def test_where_there_is_no_voice_there_is_no_window():
    """Nothing, silence, and half-heard voices give none."""
    assert windows_of(a_sound()) == []
    assert windows_of(a_sound((60, 0.3))) == []
    assert windows_of(a_sound((5, 0), (2, 0.6), (5, 0))) == []
    assert windows_of(a_sound((5, 0), (0.2, 1.0), (5, 0))) == []


def test_voice_gets_a_margin():
    """0.3 s around speech are kept, as detectors are late."""
    assert spans(a_sound((5, 0), (2, 1), (5, 0))) == [(4.7, 7.3)]


def test_short_pauses_stay_and_long_ones_part():
    """Under two seconds a pause is in the window, above it parts two."""
    sound = a_sound((1, 1), (1.5, 0), (1, 1), (2.5, 0), (1, 1))

    assert spans(sound) == [(0.0, 3.8), (5.7, 7.0)]


def test_a_window_tells_where_its_voices_are():
    """In seconds of the sound, for the gate behind the engine."""
    (window,) = windows_of(a_sound((5, 0), (1, 1), (1, 0), (1, 1), (5, 0)))

    assert np.allclose(window.voice, [(5, 6), (7, 8)], atol=0.04)
    assert window.speech_s == pytest.approx(2, abs=0.1)


def test_long_speech_is_cut_in_a_pause():
    """A window ends in a breath before 30 s, not in the middle of a word."""
    found = spans(a_sound((25, 1), (0.5, 0), (20, 1)))

    assert found == [(0.0, 25.3), (25.3, 45.5)] or found[0][1] < 25.6
    assert len(found) == 2


def test_the_last_word_behind_a_cut_is_kept():
    """It is too short to be believed by itself, but it ends a speech."""
    first, second = windows_of(a_sound((29.6, 1), (0.2, 0), (0.2, 1), (3, 0)))

    assert first.speech_s + second.speech_s == pytest.approx(29.8, abs=0.2)
    assert windows_of(a_sound((3, 0), (0.2, 1), (3, 0))) == []


runs = st.lists(
    st.tuples(st.floats(0.05, 20), st.sampled_from([0.0, 0.3, 0.45, 0.6, 0.9, 1.0])),
    max_size=12,
)


@given(runs, st.lists(st.integers(0, 200_000), max_size=8))
def test_chunks_do_not_matter(parts, cuts):
    """The same windows whatever the sizes of the chunks."""
    sound = a_sound(*parts)
    cuts = [min(cut, len(sound.samples)) for cut in cuts]
    for one, other in zip(windows_of(sound), windows_of(sound, *cuts), strict=True):
        assert (one.start_s, one.voice) == (other.start_s, other.voice)
        assert np.array_equal(one.waveform.samples, other.waveform.samples)


@given(runs)
def test_windows_are_in_order_apart_short_and_true(parts):
    """None overlaps another or is over 30 s; each is the sound at its place."""
    sound = a_sound(*parts)
    last_s = 0.0
    for window in windows_of(sound):
        at = round(window.start_s * 16_000)
        size = len(window.waveform.samples)
        end_s = window.start_s + window.waveform.duration_s
        assert window.start_s >= last_s - 1e-6
        assert 0 < window.waveform.duration_s <= WINDOW_S
        assert np.array_equal(window.waveform.samples, sound.samples[at : at + size])
        assert window.voice
        for start_s, stop_s in window.voice:
            assert window.start_s - 1e-6 <= start_s < stop_s <= end_s + 1e-6
        last_s = end_s


@given(runs)
@example([(19.5, 0.6), (11.0, 0.9)])  # The cut at 20 s leaves 0.6 s of it behind.
def test_clear_speech_is_never_left_out(parts):
    """A sure voice of over a second is in some window, wholly, among any other."""
    sound, at_s = a_sound(*parts), 0.0
    voice = [span for window in windows_of(sound) for span in window.voice]
    for length_s, level in parts:
        if level >= 0.9 and length_s >= 1.1:
            inside = sum(
                max(0.0, min(end_s, at_s + length_s) - max(start_s, at_s))
                for start_s, end_s in voice
            )
            assert inside >= length_s - 2 * FRAME_S
        at_s += length_s


@pytest.mark.parametrize("sound", [noise(10, level=0.3), silence(10)])
def test_memory_is_bounded(sound):
    """An hour of sound is never held: a window and a second are."""
    windower, most = hears_everything(), 0
    for _ in range(40):
        windower.feed(sound)
        most = max(most, len(windower._samples) + len(windower._pending))

    assert most <= (WINDOW_S + 2) * 16_000
