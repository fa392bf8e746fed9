"""An adapter is merged exactly, is part of the model's identity, and fits one model."""

from pathlib import Path

import numpy as np
import pytest
import torch

from encoders.signals import ModelUnavailableError
from encoders.text import load_text_encoder
from encoders.text_adapter import (
    LowRank,
    TextAdapter,
    UnsuitableAdapterError,
    from_bytes,
    merge,
    to_bytes,
)
from encoders.trainable_text import TrainableText
from tests.tiny_text_model import a_tiny_text_model

pytestmark = pytest.mark.models

TEXTS = ["one two", "a longer text, of more words than that"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a tiny model lies."""
    return a_tiny_text_model(tmp_path_factory.mktemp("tiny"))


def load(folder: Path, adapter: bytes | None = None):
    """Load the model as a worker does."""
    return load_text_encoder(
        str(folder), device="cpu", allow_download=False, adapter=adapter
    )


def a_trainable(folder: Path, seed: int = 3) -> TrainableText:
    """Return a trainable model whose adapter does something."""
    torch.manual_seed(seed)
    trainable = TrainableText(str(folder), rank=2, alpha=4, allow_download=False)
    with torch.no_grad():
        for parameter in trainable.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    trainable.train(False)
    return trainable


def test_a_served_model_gives_what_the_trained_one_gave(folder: Path) -> None:
    """Merged in half precision the numbers are the trained model's, not the base's."""
    trainable = a_trainable(folder)
    with torch.no_grad():
        trained = trainable(trainable.token_ids(TEXTS, 64)).numpy()

    served = load(folder, to_bytes(trainable.adapter())).embed(TEXTS)

    assert np.abs(served - trained).max() < 5e-3
    assert np.abs(served - load(folder).embed(TEXTS)).max() > 5e-2


def test_an_adapter_changes_the_identity(folder: Path) -> None:
    """Caches, decisions and the head's check know the model by this hash."""
    one = to_bytes(a_trainable(folder, 1).adapter())
    other = to_bytes(a_trainable(folder, 2).adapter())

    hashes = [load(folder, adapter).model.sha256 for adapter in (None, one, other)]

    assert len(set(hashes)) == 3
    assert load(folder, one).model.sha256 == hashes[1]


def test_the_same_adapter_gives_the_same_bytes(folder: Path) -> None:
    """Reading and writing changes nothing: the manifest's hash holds."""
    data = to_bytes(a_trainable(folder).adapter())

    assert to_bytes(from_bytes(data)) == data


def test_an_adapter_of_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    """Weights that happen to fit in shape would give numbers that mean nothing."""
    other = a_tiny_text_model(tmp_path, seed=9)
    data = to_bytes(a_trainable(folder).adapter())

    with pytest.raises(ModelUnavailableError, match="HEADGATE_TEXT_WEIGHTS"):
        load(other, data)


@pytest.mark.parametrize("data", [b"", b"no weights at all", b"\xff" * 64])
def test_what_is_no_adapter_is_refused(data: bytes) -> None:
    """Broken bytes are named, whatever they are."""
    with pytest.raises(UnsuitableAdapterError, match="not a text adapter"):
        from_bytes(data)


@pytest.mark.parametrize(
    ("name", "shape", "fault"),
    [("absent", (4, 4), "no linear layer"), ("0", (5, 4), "shape")],
)
def test_a_layer_that_does_not_fit_is_refused(
    name: str, shape: tuple[int, int], fault: str
) -> None:
    """A missing layer or another width is no adapter of this model."""
    rows, columns = shape
    pair = LowRank(
        np.zeros((rows, 1), np.float16),
        np.zeros((1, columns), np.float16),
    )
    model = torch.nn.Sequential(torch.nn.Linear(4, 4))

    with pytest.raises(UnsuitableAdapterError, match=fault):
        merge(model, TextAdapter({name: pair}, "ab" * 32))
