"""What every speech engine promises, whatever it hears."""

from itertools import pairwise

import numpy as np
import pytest

from encoders.signals import Waveform
from encoders.speech import load_transcriber
from tests.speech_builders import a_whisper_checkpoint, noise, part, recording, silence

pytestmark = pytest.mark.models


@pytest.fixture(scope="module", params=["whisper", "sphinx"])
def engine(request, tmp_path_factory):
    """Load each engine: Whisper with random weights, PocketSphinx with its own."""
    if request.param == "sphinx":
        pytest.importorskip("pocketsphinx")
        spec = "sphinx"
    else:
        spec = f"whisper:{a_whisper_checkpoint(tmp_path_factory.mktemp('whisper'))}"
    return load_transcriber(spec, device="cpu", allow_download=False)


@pytest.fixture(scope="module")
def speech(shared_data):
    """Read 1.5 s of a man who says "eight of spades"."""
    return part(recording(shared_data("sphinx_cards") / "005.wav"), 0, 1.5)


def test_nothing_in_nothing_out(engine):
    """No waveforms, no results."""
    assert engine.transcribe([]) == []


@pytest.mark.parametrize("duration_s", [0, 0.01, 3])
def test_silence_has_no_segments(engine, duration_s):
    """No words are made up in silence, and no language."""
    (result,) = engine.transcribe([silence(duration_s)])

    assert (result.segments, result.language) == ((), None)


def test_times_are_ordered_and_within(engine, speech):
    """Segments follow one another and end with the waveform."""
    (result,) = engine.transcribe([speech])

    assert result.segments
    for segment in result.segments:
        assert 0 <= segment.start_s < segment.end_s <= speech.duration_s
        assert segment.text == segment.text.strip() != ""
    assert all(a.end_s <= b.start_s for a, b in pairwise(result.segments))


def test_company_does_not_matter(engine, speech):
    """A waveform gives the same result alone and in any batch, in its own place."""
    (alone,) = engine.transcribe([speech])
    batch = engine.transcribe([silence(1), noise(0.5), speech, silence(0), speech])

    assert [batch[2], batch[4]] == [alone, alone]
    assert (batch[0].segments, batch[3].segments) == ((), ())


@pytest.mark.parametrize("extreme", [1.0, -1.0, 1.5])
def test_sound_out_of_range_does_no_harm(engine, extreme):
    """A constant, or samples past full scale, end in a result."""
    waveform = Waveform(np.full(8000, extreme, np.float32))

    assert len(engine.transcribe([waveform])) == 1


def test_the_model_has_a_hash(engine):
    """Every decision can name the weights that heard it."""
    assert engine.model.role == "speech"
    assert len(engine.model.sha256) == 64
