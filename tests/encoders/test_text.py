import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from encoders.embedding_cache import EmbeddingCache
from encoders.model_files import find_text_model
from encoders.sentence_encoder import (
    ON_CPU,
    BatchShape,
    SentenceEncoder,
    on_torch,
)
from encoders.signals import ModelUnavailableError
from encoders.text import load_text_encoder

pytestmark = pytest.mark.models

TEXTS = [
    "Win a prize",
    "You have WON £1000! Call 09061743386 now to claim.",
    "hello",
    "Ok i thk i got it. Then u wan me 2 come now or wat?",
    "你好，世界",
    "the " * 90,
    "🙂",
    "What is the time in London?",
    "Ok then, I will be there at six.",
    "Wat r u doing now, my dear?",
    "",
]


@pytest.fixture(scope="module")
def model_folder() -> Path:
    """Where the default model lies."""
    return find_text_model("all-MiniLM-L6-v2", allow_download=False)


@pytest.fixture(scope="module")
def encoder():
    """Load the default model."""
    return load_text_encoder("all-MiniLM-L6-v2", device="cpu", allow_download=False)


@pytest.fixture(scope="module")
def library(model_folder):
    """The library's own model."""
    return SentenceTransformer(str(model_folder), device="cpu").eval()


@pytest.fixture(scope="module")
def batching_encoder(library, encoder):
    """The same model on torch, in batches as on a GPU."""
    shape = BatchShape(4, 16)
    return SentenceEncoder(library, encoder.model, on_torch(library), shape)


@pytest.fixture(scope="module")
def single_encoder(library, encoder):
    """The same model on torch, text by text: what runs where ONNX Runtime can't."""
    return SentenceEncoder(library, encoder.model, on_torch(library), ON_CPU)


def forget(encoder):
    """Empty the cache, so that embeddings are computed anew."""
    encoder._cache = EmbeddingCache()


def test_rows_are_unit_vectors(encoder):
    """Embeddings are float32, one row a text, of unit length."""
    rows = encoder.embed(TEXTS)

    assert (rows.shape, rows.dtype) == ((len(TEXTS), encoder.dim), np.float32)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert encoder.embed([]).shape == (0, 384)


ENCODERS = ["encoder", "batching_encoder", "single_encoder"]


@pytest.mark.parametrize("which", ENCODERS)
def test_they_are_what_sentence_transformers_gives(which, library, request):
    """Our way through the model is its own `encode`, but for rounding."""
    theirs = library.encode(TEXTS, normalize_embeddings=True)

    ours = request.getfixturevalue(which).embed(TEXTS)
    assert ours == pytest.approx(theirs, abs=1e-5)


def test_texts_of_one_length_share_a_pass(encoder, monkeypatch):
    """A pass holds texts of one length, and no more tokens than it may."""
    shapes = []
    forward = encoder._forward
    monkeypatch.setattr(
        encoder, "_forward", lambda ids, m: shapes.append(ids.shape) or forward(ids, m)
    )
    forget(encoder)
    encoder.embed([f"number {n}" for n in range(5)] + ["far " * n for n in (200, 198)])
    encoder.embed([f"hello there {n}" for n in range(200)])

    assert sorted(shapes[:3]) == [(1, 200), (1, 202), (5, 4)]
    assert {length for _, length in shapes[3:]} == {5}
    assert max(rows for rows, _ in shapes) == 64


@pytest.mark.parametrize("which", ENCODERS)
def test_the_batch_does_not_matter(which, request):
    """A text gives the same bits alone, in any batch and at any place in it."""
    encoder = request.getfixturevalue(which)
    forget(encoder)
    alone = {}
    for text in TEXTS:
        alone[text] = encoder.embed([text])[0].tobytes()
        forget(encoder)

    for seed in range(4):
        batch = random.Random(seed).choices(TEXTS, k=seed * 5 + 2)
        forget(encoder)
        rows = encoder.embed(batch)
        assert [row.tobytes() for row in rows] == [alone[text] for text in batch]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_does_not_matter(encoder, threads):
    """However many threads torch may use, the bits are the same, and it keeps them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        other = load_text_encoder(
            "all-MiniLM-L6-v2", device="cpu", allow_download=False
        )
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)

    forget(encoder)
    assert other.embed(TEXTS).tobytes() == encoder.embed(TEXTS).tobytes()


def test_a_text_is_computed_once(encoder, monkeypatch):
    """Repeats in a batch, and texts met lately, cost nothing."""
    forget(encoder)
    computed = []
    forward = encoder._forward
    monkeypatch.setattr(
        encoder, "_forward", lambda ids, m: computed.append(len(ids)) or forward(ids, m)
    )
    encoder.embed(["spam", "spam", "ham"])
    encoder.embed(["ham", "spam"])

    assert sum(computed) == 2


def test_a_caller_can_not_spoil_the_cache(encoder):
    """Rows that are written to do not change what the next caller gets."""
    first = encoder.embed(["hello"])
    before = first.tobytes()
    first[:] = 0

    assert encoder.embed(["hello"]).tobytes() == before


def test_meaning_is_near_meaning(encoder):
    """The weights are the trained ones: a paraphrase is nearer than another topic."""
    rows = encoder.embed(["a cheap loan", "money lent at a low rate", "a brown dog"])

    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2


@pytest.mark.parametrize(
    "text", ["\ud800 half", "a\x00b", "\x01\x1b[31m", "\u202e" * 9]
)
def test_any_string_is_taken(encoder, text):
    """Half surrogates, NUL and control characters raise nothing."""
    assert np.isfinite(encoder.embed([text])).all()
    assert isinstance(encoder.split(text), tuple)


def test_spans_fit_the_window(encoder):
    """What `split` gives is embedded whole, special tokens included."""
    text = "Hagámoslo: 값진 unbelievable antidisestablishmentarianism!? 漢字。 " * 200
    spans = encoder.split(text)

    lengths = [
        len(encoder._whole.encode(text[s.start_char : s.end_char])) for s in spans
    ]
    assert max(lengths) <= 256
    assert sum(lengths) > len(spans) * 128  # And is not cut finer than needed.


def test_the_model_is_named_with_its_hash(encoder):
    """The identity says which weights made the vectors."""
    assert (encoder.model.role, encoder.model.name) == ("text", "all-MiniLM-L6-v2")
    assert len(encoder.model.sha256) == 64


def test_a_damaged_model_is_refused(model_folder, tmp_path):
    """Weights that can't be read stop the start with one sentence."""
    folder = shutil.copytree(model_folder, tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"not weights")

    with pytest.raises(ModelUnavailableError, match="can't be loaded") as refused:
        load_text_encoder(str(folder), device="cpu", allow_download=False)
    assert "\n" not in str(refused.value)
