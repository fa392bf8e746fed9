import pickle
from pathlib import Path

import pytest
import torch

from encoders.model_files import sha256_of
from encoders.signals import ModelUnavailableError, SpeechSegment
from encoders.speech import load_transcriber
from tests.speech_builders import a_whisper_checkpoint, noise

pytestmark = pytest.mark.models


def load(name):
    """Load a Whisper by name or path, with no network."""
    return load_transcriber(f"whisper:{name}", device="cpu", allow_download=False)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Save a tiny random model."""
    return a_whisper_checkpoint(tmp_path_factory.mktemp("whisper"))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Give Whisper an empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "whisper"


class Payload:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("pwned"),))


def test_a_checkpoint_is_loaded_by_path(checkpoint):
    """A file in OpenAI's format is named with the hash of its bytes."""
    engine = load(checkpoint)

    assert engine.model.name == f"whisper:{checkpoint}"
    assert engine.model.sha256 == sha256_of(checkpoint)


def test_segments_say_how_sure_the_model_is(checkpoint):
    """Random weights give random words; times and certainties are still in range."""
    (result,) = load(checkpoint).transcribe([noise(2)])

    assert result.segments
    assert len(result.language) == 2 or result.language in ("haw", "yue", "jw")
    for segment in result.segments:
        assert 0 <= segment.start_s < segment.end_s <= 2
        assert segment.avg_logprob < 0
        assert 0 <= segment.no_speech_prob <= 1
        assert segment.compression_ratio > 0


def test_dice_are_thrown_alone(checkpoint):
    """Decoding neither depends on torch's generator nor moves it."""
    engine = load(checkpoint)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = engine.transcribe([noise(1)])

    assert torch.rand(3).tolist() == expected.tolist()
    assert engine.transcribe([noise(1)]) == first


def test_a_checkpoint_that_runs_code_is_refused(tmp_path, monkeypatch):
    """A pickle in a checkpoint's place is not unpickled."""
    monkeypatch.chdir(tmp_path)
    torch.save({"dims": {}, "model_state_dict": Payload()}, "evil.pt")
    Path("evil.pickle").write_bytes(pickle.dumps(Payload()))

    for name in ("evil.pt", "evil.pickle"):
        with pytest.raises(ModelUnavailableError, match="is not a Whisper checkpoint"):
            load(name)
    assert not Path("pwned").exists()


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE", b"PK\x03\x04"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    """Any other file stops the start with one sentence."""
    (tmp_path / "x.pt").write_bytes(content)

    with pytest.raises(ModelUnavailableError, match="is not a Whisper checkpoint"):
        load(tmp_path / "x.pt")


def test_an_unknown_name_lists_the_known(cache):
    """A name that is neither official nor a file says which there are."""
    with pytest.raises(ModelUnavailableError, match=r"'bass', .* tiny\.en, tiny, base"):
        load("bass")


def test_weights_that_are_not_here_say_what_to_do(cache):
    """Nothing is fetched unasked."""
    with pytest.raises(ModelUnavailableError, match="HEADGATE_ALLOW_DOWNLOAD=true"):
        load("base")
    assert not cache.exists()


def test_damaged_weights_are_refused(cache, checkpoint):
    """An official name loads only the bytes that its name stands for."""
    cache.mkdir()
    (cache / "base.pt").write_bytes(checkpoint.read_bytes())

    with pytest.raises(ModelUnavailableError, match="is damaged: its sha256 is"):
        load("base")


@pytest.mark.parametrize(
    ("fields", "heard"),
    [
        ({}, True),
        ({"no_speech_prob": 0.9, "avg_logprob": -0.3}, True),
        ({"no_speech_prob": 0.1, "avg_logprob": -2.0}, True),
        ({"no_speech_prob": 0.9, "avg_logprob": -1.1}, False),
        ({"compression_ratio": 2.5}, False),
        ({"text": ""}, False),
        ({"end_s": 0.0}, False),
    ],
)
def test_what_whisper_makes_up_is_dropped(fields, heard):
    """Unsure words in likely silence, loops and empty segments are not speech."""
    from encoders.whisper_speech import is_heard

    usual = {"start_s": 0.0, "end_s": 1.0, "text": "hi", "avg_logprob": -0.2}
    usual |= {"no_speech_prob": 0.01, "compression_ratio": 1.1}

    assert is_heard(SpeechSegment(**(usual | fields))) is heard
