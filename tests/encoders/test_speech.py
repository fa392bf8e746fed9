import subprocess
import sys

import numpy as np
import pytest

from encoders.signals import ModelUnavailableError, Waveform
from encoders.speech import is_silent, load_transcriber
from tests.speech_builders import noise, silence


@pytest.mark.parametrize("spec", ["", "whisper", "whisper:", "sphinx:en", "wav2vec"])
def test_an_unknown_engine_is_refused(spec):
    """A setting that names no engine says what may stand there."""
    with pytest.raises(ModelUnavailableError, match="whisper:NAME, whisper:PATH or sp"):
        load_transcriber(spec, device="cpu", allow_download=False)


def test_without_pocketsphinx_the_extra_is_named(monkeypatch):
    """`sphinx` without its package says which extra to install."""
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)

    with pytest.raises(ModelUnavailableError, match=r"headgate\[offline-asr\]"):
        load_transcriber("sphinx", device="cpu", allow_download=False)


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
        "print({'torch', 'whisper', 'pocketsphinx', 'transformers'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert found.stdout.strip() == "set()"
