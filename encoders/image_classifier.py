"""What a picture is taken for: the seam for classifiers, and ONNX Runtime behind it.

Beside `image_encoder`. A model is a folder as Optimum exports it: model.onnx,
config.json with `id2label`, preprocessor_config.json.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.signals import ModelIdentity, ModelUnavailableError, Pixels

# Classifiers of pictures have some hundred megabytes; protobuf ends at 2 GB.
_MAX_MODEL_BYTES: Final = 1 << 30
_MAX_LABELS: Final = 25_000  # ImageNet-21k, the largest in use, has 21,843.
_SIDES_PX: Final = range(8, 1_025)


class ImageClassifier(Protocol):
    """The seam for models that say what pictures show."""

    @property
    def model(self) -> ModelIdentity:
        """Which model it is."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, in the order of `classify`'s columns."""

    def classify(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        """Return probabilities: float32, shape (n_pictures, n_labels), in [0, 1]."""


@dataclass(frozen=True, slots=True)
class _Preparation:
    """How the model wants pictures: preprocessor_config.json, in our words."""

    side_px: int
    mean: NDArray[np.float32]
    std: NDArray[np.float32]


class OnnxImageClassifier:
    """A classifier from a folder; runs on the CPU, any thread may ask.

    Raises:
        ModelUnavailableError: something is missing from the folder, is not what was
            pinned, or can't be used.
    """

    def __init__(
        self, folder: Path, *, sha256: str | None = None, threads: int = 1
    ) -> None:
        """Load; `sha256` pins model.onnx, which is hashed before it is read as one."""
        data = _model_bytes(folder / "model.onnx", sha256)
        config = _read_json(folder / "config.json")
        self.labels = _labels(folder / "config.json", config)
        self._many = config.get("problem_type") == "multi_label_classification"
        self._prepare = _preparation(folder / "preprocessor_config.json")
        self._session = _session(folder, data, threads)
        self._input = self._session.get_inputs()[0].name
        self.model = ModelIdentity(
            "image_labels", folder.name, hashlib.sha256(data).hexdigest()
        )
        self._try_out(folder)

    def classify(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        """See `ImageClassifier`."""
        if not pictures:
            return np.empty((0, len(self.labels)), dtype=np.float32)
        batch = np.stack([_prepared(picture, self._prepare) for picture in pictures])
        logits = np.asarray(
            self._session.run(None, {self._input: batch})[0], dtype=np.float32
        )
        return _sigmoid(logits) if self._many else _softmax(logits)

    def _try_out(self, folder: Path) -> None:
        """Classify a grey picture, so that what does not fit together shows now."""
        side = self._prepare.side_px
        grey = Pixels(np.full((side, side, 3), 127, dtype=np.uint8))
        try:
            shape = self.classify([grey, grey]).shape
        except Exception as error:  # ONNX Runtime's have no ancestor but this.
            raise ModelUnavailableError(
                f"{folder}: model.onnx can't classify two pictures of {side} by {side} "
                f"pixels ({type(error).__name__}); export it with a batch of any size"
            ) from error
        if shape != (2, len(self.labels)):
            raise ModelUnavailableError(
                f"{folder}: model.onnx gives {shape[-1]} numbers a picture, and "
                f"config.json has {len(self.labels)} labels; expected as many"
            )


def _session(folder: Path, data: bytes, threads: int) -> Any:
    import onnxruntime  # Takes a moment, and most workers have no classifier.

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        # From bytes: what was hashed is what runs, and no other file is opened.
        return onnxruntime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ModelUnavailableError(
            f"{folder}: model.onnx can't be loaded ({type(error).__name__}); expected "
            "one file without external data"
        ) from error


def _model_bytes(path: Path, pinned: str | None) -> bytes:
    try:
        if path.stat().st_size > _MAX_MODEL_BYTES:
            raise ModelUnavailableError(
                f"{path} has over {_MAX_MODEL_BYTES} bytes, more than a classifier has"
            )
        data = path.read_bytes()
    except OSError as error:
        raise ModelUnavailableError(
            f"{path} can't be read: {error.strerror}; expected a folder with "
            "model.onnx, config.json and preprocessor_config.json"
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if pinned is not None and found != pinned.lower():
        raise ModelUnavailableError(
            f"{path} has SHA-256 {found[:12]}…; expected {pinned[:12].lower()}… as "
            "HEADGATE_IMAGE_CLASSIFIER_SHA256 says"
        )
    return data


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnavailableError(
            f"{path} can't be read as JSON ({type(error).__name__})"
        ) from error
    if not isinstance(found, dict):
        raise ModelUnavailableError(f"{path} is no JSON object")
    return found


def _labels(path: Path, config: dict[str, Any]) -> tuple[str, ...]:
    match config.get("id2label"):
        case dict(names) if 0 < len(names) <= _MAX_LABELS:
            ordered = [names.get(str(n)) for n in range(len(names))]
            if all(isinstance(name, str) and name for name in ordered):
                return tuple(map(str, ordered))
    raise ModelUnavailableError(
        f'{path}: id2label should be an object from "0", "1", … to names'
    )


def _preparation(path: Path) -> _Preparation:
    config = _read_json(path)
    size = config.get("crop_size") or config.get("size")
    if isinstance(size, dict):
        size = size.get("height") or size.get("shortest_edge")
    if not (isinstance(size, int) and size in _SIDES_PX):
        raise ModelUnavailableError(
            f"{path}: size is {size!r}; expected {_SIDES_PX[0]} to {_SIDES_PX[-1]} "
            "pixels"
        )
    std = _colour(path, config, "image_std")
    if not std.all():
        raise ModelUnavailableError(f"{path}: image_std has a 0, which divides nothing")
    return _Preparation(size, _colour(path, config, "image_mean"), std)


def _colour(path: Path, config: dict[str, Any], name: str) -> NDArray[np.float32]:
    """Return a number for each channel: float32, shape (3,)."""
    match config.get(name):
        case [int() | float() as r, int() | float() as g, int() | float() as b]:
            return np.array([r, g, b], dtype=np.float32)
    raise ModelUnavailableError(f"{path}: {name} should be three numbers")


def _prepared(picture: Pixels, how: _Preparation) -> NDArray[np.float32]:
    """Return the middle square, scaled: float32, shape (3, side, side)."""
    height, width, _ = picture.rgb.shape
    least = min(height, width)
    left, top = (width - least) // 2, (height - least) // 2
    square = Image.fromarray(picture.rgb).resize(
        (how.side_px, how.side_px),
        Image.Resampling.BICUBIC,
        box=(left, top, left + least, top + least),
    )
    values = np.asarray(square, dtype=np.float32) / 255
    scaled = (values - how.mean) / how.std
    return np.ascontiguousarray(scaled.transpose(2, 0, 1), dtype=np.float32)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted: NDArray[np.float32] = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-logits.clip(-80, 80))), dtype=np.float32)
