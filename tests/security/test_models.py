"""Models are data: nothing in them runs, and what was changed is not loaded."""

import pickle
import shutil
from pathlib import Path

import pytest

from encoders.model_files import DEFAULT_TEXT_MODEL, find_text_model, sha256_of
from encoders.signals import ModelUnavailableError
from encoders.speech import load_speech
from encoders.text import load_text_encoder
from streams.errors import StartError
from streams.scorers import text_risk
from streams.settings import load_settings
from streams.wiring import (
    build_judge,
    build_text_encoder,
    build_text_risk,
    build_understanding,
)
from tests.speech_builders import a_whisper_checkpoint


class Payload:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("pwned"),))


def flip_a_byte(file: Path, at: int = -100) -> None:
    """Change one bit of a file's byte."""
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(bytes(data))


@pytest.mark.models
def test_a_pickle_in_a_checkpoint_runs_nothing(tmp_path, monkeypatch):
    """The speech model is opened with torch's restricted unpickler."""
    monkeypatch.chdir(tmp_path)
    Path("evil.pt").write_bytes(pickle.dumps({"dims": Payload()}))

    with pytest.raises(ModelUnavailableError, match="not a Whisper checkpoint"):
        load_speech("whisper:evil.pt", device="cpu", allow_download=False)
    assert not Path("pwned").exists()


@pytest.mark.models
def test_a_speech_model_with_one_flipped_byte_is_refused(tmp_path):
    """Its hash was pinned; it is not even opened."""
    checkpoint = a_whisper_checkpoint(tmp_path)
    pinned = sha256_of(checkpoint)
    flip_a_byte(checkpoint)

    with pytest.raises(ModelUnavailableError, match="HEADGATE_ASR_SHA256 says"):
        load_speech(
            f"whisper:{checkpoint}", device="cpu", allow_download=False, sha256=pinned
        )


def a_text_model(folder: Path) -> Path:
    """Copy the text model, so that it can be harmed."""
    original = find_text_model(DEFAULT_TEXT_MODEL, allow_download=False)
    return Path(shutil.copytree(original, folder / "model"))


def test_a_pinned_text_model_with_one_flipped_byte_is_refused(tmp_path):
    """Before any library reads it."""
    folder = a_text_model(tmp_path)
    flip_a_byte(next(folder.rglob("*.safetensors")))

    with pytest.raises(ModelUnavailableError, match="HEADGATE_TEXT_MODEL_SHA256 says"):
        load_text_encoder(
            str(folder), device="cpu", allow_download=False, sha256="0" * 64
        )


@pytest.mark.models
def test_the_risk_head_refuses_a_text_model_with_one_flipped_byte(tmp_path):
    """Nobody pinned it, but the head knows which model it was trained on."""
    folder = a_text_model(tmp_path)
    flip_a_byte(next(folder.rglob("*.safetensors")))
    settings = load_settings(text_model=str(folder))

    with pytest.raises(StartError, match="was trained on"):
        build_judge(settings, build_understanding(settings))


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("text_risk.safetensors", build_text_risk),
        ("text_adapter.safetensors", build_text_encoder),
    ],
)
def test_weights_with_one_flipped_byte_are_refused(name, build, tmp_path):
    """The manifest names the hash of what was published."""
    weights = Path(text_risk.__file__).parent / "weights"
    copied = Path(shutil.copytree(weights, tmp_path / "weights"))
    flip_a_byte(copied / name)

    with pytest.raises(StartError, match=r"manifest\.json says"):
        build(load_settings(text_weights=copied))


def test_a_weights_folder_that_is_none_is_named(tmp_path):
    """A wrong path is told by the setting's name, before anything is loaded."""
    with pytest.raises(StartError, match="HEADGATE_TEXT_WEIGHTS"):
        build_text_risk(load_settings(text_weights=tmp_path))


def test_no_model_of_ours_is_a_pickle():
    """Weights come as safetensors, which hold numbers only; numpy's archive too."""
    weights = Path(text_risk.__file__).parent / "weights"
    kinds = {file.suffix for file in weights.iterdir() if file.is_file()}

    assert kinds <= {".safetensors", ".npz", ".json", ".md"}
