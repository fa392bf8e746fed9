"""Facts about classifiers of pictures, with a model of one step made here."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoders.image_classifier import OnnxImageClassifier
from encoders.signals import ModelUnavailableError, Pixels

SIDE = 8
LABELS = ("red", "green", "blue")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Save a classifier whose logits are the means of the three channels."""
    return save_classifier(tmp_path / "colours")


def save_classifier(folder: Path, **config: Any) -> Path:
    """Save a tiny model as Optimum does; `config` goes into config.json."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    folder.mkdir()
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    axes = helper.make_tensor("axes", onnx.TensorProto.INT64, [2], [2, 3])
    graph = helper.make_graph(
        [
            helper.make_node(
                "ReduceMean", ["pixel_values", "axes"], ["logits"], keepdims=0
            )
        ],
        "colours",
        [helper.make_tensor_value_info("pixel_values", floats, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", floats, ["n", 3])],
        [axes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 10
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    names = {str(n): label for n, label in enumerate(LABELS)}
    write(folder / "config.json", {"id2label": names, **config})
    prepared = {
        "size": {"height": SIDE, "width": SIDE},
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.25, 0.25, 0.25],
    }
    write(folder / "preprocessor_config.json", prepared)
    return folder


def write(path: Path, content: object) -> None:
    """Write JSON."""
    path.write_text(json.dumps(content))


def one_colour(*rgb: int, size: tuple[int, int] = (30, 20)) -> Pixels:
    """Build a picture of one colour."""
    return Pixels(np.full((*size, 3), rgb, dtype=np.uint8))


def test_pictures_are_classified(folder: Path) -> None:
    """Scaled, shifted and in the model's order of channels; rows sum up to 1."""
    classifier = OnnxImageClassifier(folder)

    found = classifier.classify([one_colour(255, 0, 0), one_colour(0, 0, 255)])

    assert (found.shape, found.dtype) == ((2, 3), np.float32)
    logits = np.array([2.0, -2.0, -2.0])  # (1 or 0, less 0.5) over 0.25.
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(found, [expected, expected[::-1]], rtol=1e-5)
    assert classifier.labels == LABELS
    assert classifier.classify([]).shape == (0, 3)


def test_labels_that_do_not_exclude_each_other_are_told_by_themselves(
    tmp_path: Path,
) -> None:
    """Where the model says so, each has a probability of its own."""
    many = {"problem_type": "multi_label_classification"}
    classifier = OnnxImageClassifier(save_classifier(tmp_path / "many", **many))

    found = classifier.classify([one_colour(255, 255, 0)])

    np.testing.assert_allclose(found, [[0.8808, 0.8808, 0.1192]], atol=1e-4)


def test_the_middle_of_a_wide_picture_is_seen(folder: Path) -> None:
    """Squares, without squeezing."""
    rgb = np.zeros((20, 100, 3), dtype=np.uint8)
    rgb[:, :38, 0] = rgb[:, 62:, 0] = 255  # Red on both sides of a black square.

    (found,) = OnnxImageClassifier(folder).classify([Pixels(rgb)])

    np.testing.assert_allclose(found, [1 / 3] * 3, atol=1e-3)


def test_a_classifier_is_known_by_its_bytes(folder: Path) -> None:
    """And refuses others than those that were pinned, before it reads them."""
    sha256 = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()

    model = OnnxImageClassifier(folder, sha256=sha256.upper()).model

    assert (model.role, model.name, model.sha256) == ("image_labels", "colours", sha256)
    with pytest.raises(ModelUnavailableError, match=r"SHA-256 .*expected 0000"):
        OnnxImageClassifier(folder, sha256="0" * 64)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("model.onnx", None, "can't be read: .*; expected a folder"),
        ("model.onnx", "no model", "can't be loaded"),
        ("config.json", None, "can't be read as JSON"),
        ("config.json", [1], "is no JSON object"),
        ("config.json", {"id2label": {"0": "a", "2": "b"}}, 'from "0", "1"'),
        ("config.json", {"id2label": {"0": "a"}}, "gives 3 numbers .* 1 labels"),
        ("preprocessor_config.json", {"size": 9_999}, "size is 9999; expected 8 to"),
        ("preprocessor_config.json", {"size": 8}, "image_std should be three"),
        (
            "preprocessor_config.json",
            {"size": 9, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]},
            "can't classify two pictures of 9 by 9",
        ),
        (
            "preprocessor_config.json",
            {"size": 8, "image_mean": [0, 0, 0], "image_std": [1, 0, 1]},
            "image_std has a 0",
        ),
    ],
)
def test_what_can_not_be_used_is_named(
    folder: Path, file: str, content: object, message: str
) -> None:
    """At the start, not at the first picture."""
    if content is None:
        (folder / file).unlink()
    else:
        write(folder / file, content)

    with pytest.raises(ModelUnavailableError, match=message):
        OnnxImageClassifier(folder)
