"""Pictures become vectors: the seam for models that embed them, and CLIP behind it.

After `image` and `video`; weights are not part of Headgate.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.signals import ModelIdentity, ModelUnavailableError, Pixels

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class ImageEncoder(Protocol):
    """The seam for models that turn pictures into vectors."""

    @property
    def model(self) -> ModelIdentity:
        """Which model it is."""

    def embed(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        """Embed pictures: float32, shape (n_pictures, dim), rows of unit length."""


class SentenceTransformersImageEncoder:
    """CLIP and its kin through sentence-transformers; loaded at first use.

    `name_or_path` is a folder, or a model's name: that is looked for in the local
    cache, and fetched only with `allow_download`.
    """

    def __init__(
        self, name_or_path: str, device: str, *, allow_download: bool = False
    ) -> None:
        self._name = name_or_path
        self._device = device
        self._allow_download = allow_download
        self._lock = Lock()
        self._loaded: tuple[SentenceTransformer, ModelIdentity] | None = None

    @property
    def model(self) -> ModelIdentity:
        """Which model it is, hashed from its loaded weights; blocks at first use."""
        return self._load()[1]

    def embed(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        """Embed pictures: float32, shape (n_pictures, dim), rows of unit length.

        Raises:
            ModelUnavailableError: the weights can't be had.
        """
        transformer, _ = self._load()
        if not pictures:
            return np.empty((0, 0), dtype=np.float32)
        images = [Image.fromarray(picture.rgb) for picture in pictures]
        embeddings = transformer.encode(
            images, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(embeddings, dtype=np.float32)

    def _load(self) -> "tuple[SentenceTransformer, ModelIdentity]":
        with self._lock:
            if self._loaded is None:
                self._loaded = self._read()
            return self._loaded

    def _read(self) -> "tuple[SentenceTransformer, ModelIdentity]":
        from sentence_transformers import SentenceTransformer  # Takes seconds.

        try:
            transformer = SentenceTransformer(
                self._name,
                device=self._device,
                local_files_only=not self._allow_download,
                trust_remote_code=False,
            )
        except (OSError, ValueError) as error:
            raise ModelUnavailableError(
                f"picture model {self._name!r} is not on this machine; give the folder "
                "of a sentence-transformers model such as clip-ViT-B-32, or allow "
                "downloads"
            ) from error
        digest = hashlib.sha256()
        for name, tensor in sorted(transformer.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return transformer, ModelIdentity(
            "image", Path(self._name).name, digest.hexdigest()
        )
