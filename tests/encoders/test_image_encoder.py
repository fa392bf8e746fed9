"""Facts about models that embed pictures."""

import json
from pathlib import Path

import numpy as np
import pytest

from encoders.image_encoder import SentenceTransformersImageEncoder
from encoders.signals import ModelUnavailableError, Pixels
from tests.media_builders import a_picture


@pytest.mark.models
@pytest.mark.parametrize("name", ["clip-ViT-B-32", "no/such-folder"])
def test_a_picture_model_that_is_not_here_is_named(name: str) -> None:
    """Offline, the error says what to do."""
    with pytest.raises(ModelUnavailableError, match="give the folder"):
        SentenceTransformersImageEncoder(name, "cpu").embed([])


@pytest.mark.models
@pytest.mark.filterwarnings("ignore")
def test_pictures_are_embedded(tmp_path: Path) -> None:
    """A CLIP from a folder gives unit vectors, and its weights' hash as identity."""
    save_tiny_clip(tmp_path / "clip")
    encoder = SentenceTransformersImageEncoder(str(tmp_path / "clip"), "cpu")
    pictures = [Pixels(np.asarray(a_picture(seed=seed))) for seed in (1, 2)]

    embeddings = encoder.embed(pictures)

    assert (embeddings.shape, embeddings.dtype) == ((2, 4), np.float32)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    assert (encoder.model.role, encoder.model.name) == ("image", "clip")
    assert len(encoder.model.sha256) == 64
    assert encoder.embed([]).shape == (0, 0)


def save_tiny_clip(folder: Path) -> None:
    """Save a CLIP of random weights, as small as its code allows."""
    from transformers import (
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        CLIPProcessor,
        CLIPTokenizer,
    )

    part = {
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
    }
    config = CLIPConfig(
        text_config={**part, "vocab_size": 3, "max_position_embeddings": 8},
        vision_config={**part, "image_size": 32, "patch_size": 16},
        projection_dim=4,
    )
    CLIPModel(config).save_pretrained(folder)
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2}
    (folder / "vocab.json").write_text(json.dumps(words))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    size = {"height": 32, "width": 32}
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size)
    CLIPProcessor(images, tokenizer).save_pretrained(folder)
