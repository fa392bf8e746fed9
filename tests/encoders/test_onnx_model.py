"""The text model on ONNX Runtime is used only where it proves itself."""

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from encoders import onnx_model
from encoders.model_files import DEFAULT_TEXT_MODEL, find_text_model
from encoders.onnx_model import OnnxModel, UnsuitableModelError
from encoders.sentence_encoder import ON_CPU, load
from encoders.signals import ModelIdentity

pytestmark = pytest.mark.models
IDENTITY = ModelIdentity("text", "model", "0" * 64)


@pytest.fixture(scope="module")
def library():
    """The library's own model."""
    folder = find_text_model(DEFAULT_TEXT_MODEL, allow_download=False)
    return SentenceTransformer(str(folder), device="cpu").eval()


def test_rows_have_the_same_bits_in_any_company(library):
    """A row alone, and among others, in each place: the same bits."""
    model = OnnxModel(library)
    tokens = np.random.default_rng(0).integers(1000, 20_000, (9, 33), np.int64)
    mask = np.ones_like(tokens)
    together = model(tokens, mask)

    for at in range(9):
        alone = model(tokens[at : at + 1], mask[:1])
        assert alone[0].tobytes() == together[at].tobytes()
    assert model(tokens[::-1].copy(), mask)[::-1].tobytes() == together.tobytes()


@pytest.mark.parametrize("fault", ["numbers", "bits"])
def test_a_model_that_would_differ_is_refused(library, monkeypatch, fault):
    """Other numbers than torch's, or bits that hang on the batch: no."""

    def wrong(vector):
        away = 1e-3 if fault == "numbers" else 1e-7 * np.random.default_rng().random()
        return np.asarray(vector / np.linalg.norm(vector) + away, np.float32)

    monkeypatch.setattr(onnx_model, "_unit", wrong)
    with pytest.raises(UnsuitableModelError, match=r"torch|company"):
        OnnxModel(library)


def test_what_is_refused_runs_on_torch(library, monkeypatch, caplog):
    """A model that can't be exported still works, at torch's speed, and says so."""
    expected = load(library, IDENTITY, "cpu").embed(["hello there"])
    monkeypatch.setattr(onnx_model, "_exported", lambda _: b"no graph")

    encoder = load(library, IDENTITY, "cpu")

    assert encoder._shape is ON_CPU
    assert "runs on torch" in caplog.text
    assert encoder.embed(["hello there"]) == pytest.approx(expected, abs=1e-5)


def test_the_vocabulary_is_whole_words(library):
    """Words come without pieces, in lower case, the frequent ones first."""
    words = load(library, IDENTITY, "cpu").words

    assert words["the"] < words["hate"] < len(words) * 2
    assert not any(word.startswith("#") or "[" in word for word in words)
