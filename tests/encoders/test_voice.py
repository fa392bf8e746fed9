import json
import sys

import numpy as np
import pytest

from encoders.signals import ModelUnavailableError, Waveform
from encoders.silero_voice import SileroDetector, load_silero
from encoders.speech import load_speech, new_windower, transcribe_whole
from encoders.voice import FRAME_S, FRAME_SAMPLES, EnergyDetector, voice_runs
from encoders.windows import Windower
from tests.fakes import FakeSpeechEngine
from tests.speech_builders import noise, recording, silence


@pytest.fixture(scope="module")
def silero():
    """Open Silero's model, or skip where its packages are not installed."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("silero_vad")
    return load_silero()


def micro():
    """Load the micro checkpoint."""
    return load_speech("whisper:micro", device="cpu", allow_download=False)


def frames_of(waveform):
    """Part a waveform into whole frames."""
    n_frames = len(waveform.samples) // FRAME_SAMPLES
    return waveform.samples[: n_frames * FRAME_SAMPLES].reshape(n_frames, -1)


def share_right(detector, shared_data):
    """Return the share of frames that a detector judges as people did."""
    folder = shared_data("vad_labels")
    sound, right = recording(folder / "train.wav").samples, []
    for example in json.loads((folder / "train.json").read_text()).values():
        part = Waveform(sound[example["wav"]["start"] : example["wav"]["stop"]])
        likely = detector().probabilities(frames_of(part))
        marks = [float(mark) for mark in example["speech"].split()]
        seconds = (np.arange(len(likely)) + 0.5) * FRAME_S
        expected, found = np.zeros((2, len(likely)), np.bool_)
        for start_s, end_s in zip(marks[::2], marks[1::2], strict=True):
            expected |= (seconds >= start_s) & (seconds < end_s)
        for start, end in voice_runs(likely, detector().settings):
            found[start:end] = True
        right.append((expected == found).mean())
    return np.mean(right)


@pytest.mark.models
def test_silero_marks_speech_as_people_do(silero, shared_data):
    """Over 93 % of the frames of two labelled recordings."""
    assert share_right(lambda: SileroDetector(silero), shared_data) > 0.93


def test_the_energy_gate_marks_speech_nearly_as_people_do(shared_data):
    """Over 75 % of the frames of two labelled recordings."""
    assert share_right(EnergyDetector, shared_data) > 0.75


@pytest.mark.models
def test_blocks_do_not_matter(silero):
    """Silero remembers what it heard, whatever the sizes of the blocks."""
    frames = frames_of(noise(2))
    whole = SileroDetector(silero).probabilities(frames)
    detector = SileroDetector(silero)
    parts = [detector.probabilities(frames[a : a + 7]) for a in range(0, 62, 7)]

    assert np.allclose(np.concatenate(parts), whole, atol=1e-4)


@pytest.mark.models
@pytest.mark.slow
@pytest.mark.parametrize("folder", ["esc10", "music_nonspeech"])
@pytest.mark.parametrize("load", [FakeSpeechEngine, micro], ids=["stub", "micro"])
def test_no_word_is_heard_where_nobody_speaks(silero, shared_data, load, folder):
    """Not by a stub that hears words in everything, nor by Whisper's own path."""
    engine = load()
    heard = [
        path.name
        for path in sorted(shared_data(folder).glob("*.ogg"))
        if transcribe_whole(engine, [recording(path)])[0].segments
    ]

    assert heard == []


@pytest.mark.models
@pytest.mark.parametrize(
    "path",
    ["speech_jfk/jfk.flac", "ljspeech/LJ001-0003.flac", "sphinx_cards/001.wav"],
)
def test_speech_is_heard(silero, shared_data, path):
    """Of a speech, nearly all is in a window."""
    folder, _, name = path.partition("/")
    sound = recording(shared_data(folder) / name)
    (result,) = transcribe_whole(FakeSpeechEngine(), [sound])
    heard_s = sum(part.end_s - part.start_s for part in result.segments)

    assert heard_s > 0.85 * sound.duration_s


@pytest.mark.parametrize("sound", [silence(5), noise(5), noise(5, level=3e-4)])
def test_steady_sound_is_no_voice_by_energy(sound):
    """Silence, a hiss and a roar have nothing that stands out."""
    windower = Windower(EnergyDetector())

    assert windower.feed(sound) + windower.finish() == []


def test_without_silero_the_energy_gate_is_used(monkeypatch):
    """The packages are named, and a sound is still cut."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr("encoders.speech._silero", lambda: None)

    with pytest.raises(ModelUnavailableError, match=r"silero-vad\[onnx-cpu\]"):
        load_silero()
    assert new_windower().detector_name == "energy"
