"""What every speech engine promises, whatever it hears."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from encoders import micro
from encoders.signals import Waveform
from encoders.speech import (
    SharesWeights,
    Window,
    hear,
    load_speech,
    transcribe_whole,
)
from tests.fakes import FakeSpeechEngine
from tests.micro_clips import clips
from tests.speech_builders import a_whisper_checkpoint, noise, part, recording, silence

pytestmark = pytest.mark.models


def a_whisper(folder):
    """Load Whisper with random weights: it hears words in everything."""
    return a_loaded(f"whisper:{a_whisper_checkpoint(folder)}")


def a_sphinx(folder):
    """Load PocketSphinx with its own weights."""
    pytest.importorskip("pocketsphinx")
    return a_loaded("sphinx")


def a_faster_whisper(folder):
    """Load the micro Whisper, converted: random weights only say what is gated."""
    pytest.importorskip("ctranslate2", reason="CTranslate2 (fast-asr) is not installed")
    from tests.ctranslate2_builders import a_ctranslate2_folder

    converted = a_ctranslate2_folder(micro.CHECKPOINT, folder / "converted")
    return a_loaded(f"faster-whisper:{converted}")


def a_loaded(spec):
    """Load an engine, with no network."""
    return load_speech(spec, device="cpu", allow_download=False)


ENGINES = {
    "fake": lambda folder: FakeSpeechEngine(),
    "whisper": a_whisper,
    "faster-whisper": a_faster_whisper,
    "sphinx": a_sphinx,
}


@pytest.fixture(scope="module", params=ENGINES.values(), ids=ENGINES)
def engine(request, tmp_path_factory):
    """Load each engine once."""
    return request.param(tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="module")
def speech(engine, shared_data):
    """Read 1.5 s of a man who says "eight of spades"; for micro, what it understands.

    Micro knows no person's voice, and is believed where it is sure.
    """
    if engine.model.name.startswith("faster-whisper:"):
        return clips()[1].waveform
    return part(recording(shared_data("sphinx_cards") / "005.wav"), 0, 1.5)


def same(found, expected):
    """Tell whether two results are the same but for the last digits of certainty."""
    assert found.language == expected.language
    assert found.gated == expected.gated
    for one, other in zip(found.segments, expected.segments, strict=True):
        assert (one.text, one.words) == (other.text, other.words)
        assert one.start_s == pytest.approx(other.start_s)
        assert one.end_s == pytest.approx(other.end_s)
        assert one.avg_logprob == pytest.approx(other.avg_logprob, abs=1e-3)
    return True


def test_nothing_in_nothing_out(engine):
    """No windows, no results; no sounds, no results."""
    assert engine.transcribe_windows([]) == []
    assert transcribe_whole(engine, []) == []


@pytest.mark.parametrize("duration_s", [0, 0.01, 3])
def test_silence_has_no_segments(engine, duration_s):
    """No words are made up in silence, and no language."""
    (result,) = transcribe_whole(engine, [silence(duration_s)])

    assert (result.segments, result.language) == ((), None)


@pytest.mark.parametrize("start_s", [0.0, 3600.0])
def test_times_are_of_the_sound(engine, speech, start_s):
    """Segments follow one another and lie within their window, wherever that is."""
    voice = ((start_s, start_s + speech.duration_s),)
    (result,) = hear(engine, [Window(speech, start_s, voice)])

    assert result.segments
    end_s = start_s + speech.duration_s
    for segment in result.segments:
        assert start_s <= segment.start_s < segment.end_s <= end_s
        assert segment.text == segment.text.strip() != ""
    assert all(a.end_s <= b.start_s for a, b in pairwise(result.segments))


def test_company_does_not_matter(engine, speech):
    """A window gives the same result alone and in any batch, in its own place."""
    ours = Window(speech, 5.0)
    others = [Window(noise(7), 0.0), Window(silence(1), 0.0), Window(noise(0.5), 9.0)]
    (alone,) = engine.transcribe_windows([ours])
    batch = engine.transcribe_windows([*others, ours, Window(silence(0), 0.0), ours])

    assert same(batch[3], alone)
    assert same(batch[5], alone)


@pytest.mark.parametrize("extreme", [1.0, -1.0, 1.5])
def test_sound_out_of_range_does_no_harm(engine, extreme):
    """A constant, or samples past full scale, end in a result."""
    waveform = Waveform(np.full(8000, extreme, np.float32))

    assert len(engine.transcribe_windows([Window(waveform, 0.0)])) == 1


def test_the_model_has_a_hash(engine):
    """Every decision can name the weights that heard it."""
    assert engine.model.role == "speech"
    assert len(engine.model.sha256) == 64


def test_a_twin_hears_the_same_beside_it(engine, speech):
    """It shares the weights' memory and nothing else: both may be used at a time."""
    if not isinstance(engine, SharesWeights):
        pytest.skip(f"{engine.model.name} loads a second time instead")
    twin = engine.twin()
    window = Window(speech, 0.0)

    with ThreadPoolExecutor(2) as threads:
        here = threads.submit(engine.transcribe_windows, [window] * 3)
        there = threads.submit(twin.transcribe_windows, [window] * 3)

    for found, expected in zip(there.result(), here.result(), strict=True):
        same(found, expected)
    assert twin.model == engine.model


def test_a_twin_of_whisper_takes_no_memory_for_weights(tmp_path):
    """Each of its tensors is the other's."""
    engine = a_whisper(tmp_path)
    here, there = (
        {tensor.data_ptr() for tensor in one._model.parameters()}
        for one in (engine, engine.twin())
    )

    assert here == there
