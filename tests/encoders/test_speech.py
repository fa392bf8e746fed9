import subprocess
import sys

import numpy as np
import pytest

from encoders.signals import (
    GatedSpeech,
    ModelUnavailableError,
    SpeechResult,
    SpeechSegment,
    Waveform,
)
from encoders.speech import (
    Window,
    hear,
    is_silent,
    load_speech,
    merge,
    transcribe_whole,
)
from tests.fakes import FakeSpeechEngine, hears_everything
from tests.speech_builders import noise, silence


@pytest.mark.parametrize("spec", ["", "whisper", "whisper:", "sphinx:en", "wav2vec"])
def test_an_unknown_engine_is_refused(spec):
    """A setting that names no engine says what may stand there."""
    with pytest.raises(ModelUnavailableError, match=r"whisper:NAME, .* or sphinx"):
        load_speech(spec, device="cpu", allow_download=False)


def test_without_pocketsphinx_the_extra_is_named(monkeypatch):
    """`sphinx` without its package says which extra to install."""
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)

    with pytest.raises(ModelUnavailableError, match=r"headgate\[offline-asr\]"):
        load_speech("sphinx", device="cpu", allow_download=False)


@pytest.mark.parametrize(
    "waveform", [silence(0), silence(2), noise(1, level=3e-4), silence(0.01)]
)
def test_silence_is_told(waveform):
    """Nothing, digital silence and what is under -60 dBFS are silent."""
    assert is_silent(waveform)


def test_a_moment_of_sound_is_not_silence():
    """One loud moment in a silent minute is enough."""
    samples = silence(60).samples
    samples[480_000:480_960] = 0.01

    assert not is_silent(Waveform(np.asarray(samples)))


def test_importing_the_port_loads_no_model_library():
    """Commands that transcribe nothing do not wait seconds for torch."""
    code = (
        "import sys, encoders.speech, encoders.text, encoders.devices\n"
        "late = {'torch', 'whisper', 'pocketsphinx', 'transformers', 'onnxruntime'}\n"
        "print(late & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert found.stdout.strip() == "set()"


def spoken(*lines, language="en"):
    """Build a result of segments of given lengths, one behind the other."""
    ends = [sum(lines[: n + 1]) for n in range(len(lines))]
    parts = zip([0, *ends], ends, strict=False)
    return SpeechResult(language, tuple(SpeechSegment(a, b, "x") for a, b in parts))


def test_the_language_is_that_of_most_speech():
    """Counted in seconds; windows without words have no vote."""
    results = [spoken(2), spoken(1.5, 1.5, language="de"), SpeechResult("fr", ())]

    assert merge(results).language == "de"
    assert merge([]) == SpeechResult(None, ())
    assert len(merge(results).segments) == 3


def test_all_windows_of_all_sounds_share_the_engines_calls():
    """Each sound gets its own words back, with its own times."""
    engine, calls = FakeSpeechEngine(), []
    transcribe = engine.transcribe_windows
    engine.transcribe_windows = lambda windows: (
        calls.append(len(windows)) or transcribe(windows)
    )
    short, long = noise(2), noise(65)
    found = transcribe_whole(engine, [short, silence(0), long], hears_everything)

    assert calls == [4]
    assert [len(result.segments) for result in found] == [1, 0, 3]
    assert found[2].segments[0].start_s == 0
    assert found[2].segments[-1].end_s == pytest.approx(65, abs=0.01)


def test_an_engine_that_hears_words_in_everything_is_not_believed():
    """Where the detector heard no voice, its words are gated, with their place."""
    window = Window(noise(2), 10.0, voice=((10.0, 10.1),))
    (result,) = hear(FakeSpeechEngine(), [window])

    assert result == SpeechResult(None, (), (GatedSpeech(10.0, 12.0, "no_voice"),))
