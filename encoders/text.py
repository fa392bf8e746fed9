"""Texts in, unit vectors out: the port, and the choice of the model behind it.

After `model_files`, before the scorers; the model itself is in `sentence_encoder`.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from encoders.model_files import (
    TEXT_MODEL_FILES,
    check_pinned,
    find_text_model,
    sha256_of,
)
from encoders.signals import ModelIdentity, ModelUnavailableError, Span


class TextEncoder(Protocol):
    """A model that turns texts into vectors; may be called from several threads."""

    @property
    def dim(self) -> int:
        """How long each vector is."""
        ...

    @property
    def model(self) -> ModelIdentity:
        """Which model this is, with the hash of its weights."""
        ...

    @property
    def words(self) -> Mapping[str, int]:
        """The whole words it knows, in lower case, each with its rank by frequency."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed each text; blocks.

        Any string is taken. Of a text longer than the window only the beginning is
        seen: `split` first.

        Returns:
            float32, shape (n_texts, dim), rows of unit length.
        """
        ...

    def split(self, text: str) -> tuple[Span, ...]:
        """Cut a text into spans that each fit the window; none for a blank text."""
        ...


def load_text_encoder(
    name_or_path: str,
    *,
    device: str,
    allow_download: bool,
    sha256: str | None = None,
    adapter: bytes | None = None,
) -> TextEncoder:
    """Load a sentence-transformers model by name or folder; takes seconds.

    With `sha256` its files must have that hash, which is checked before loading. With
    `adapter` (see `text_adapter`) that is merged into its weights, and its identity is
    of both: other numbers come out of it.

    Raises:
        ModelUnavailableError: it can't be had or read, or the adapter is another
            model's; the message says what to do.
    """
    folder = find_text_model(name_or_path, allow_download=allow_download)
    base_sha256 = sha256_of(folder, TEXT_MODEL_FILES)
    check_pinned(base_sha256, sha256, "HEADGATE_TEXT_MODEL_SHA256")
    identity = ModelIdentity("text", name_or_path, base_sha256)
    # Imported here because they take seconds, and most commands load no model.
    import transformers
    from sentence_transformers import SentenceTransformer
    from torch.nn import Module

    from encoders.sentence_encoder import load
    from encoders.text_adapter import UnsuitableAdapterError, adapt

    # Its bar would run through our table. (The function is there, but has no types.)
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(
            str(folder),
            device=device,
            local_files_only=True,
            trust_remote_code=False,  # A model folder may carry Python code.
            model_kwargs={"use_safetensors": True},  # The others are pickles.
        )
        if adapter is not None:
            transformer = model[0].auto_model
            assert isinstance(transformer, Module)
            identity = adapt(transformer, identity, adapter)
        return load(model, identity, device)
    except UnsuitableAdapterError as error:
        raise ModelUnavailableError(
            f"the adapter ({len(adapter or b'')} bytes) does not fit the text model "
            f"{name_or_path}: {error}; set HEADGATE_TEXT_MODEL to what it was trained "
            "on, or HEADGATE_TEXT_WEIGHTS to weights that `headgate train` made for it"
        ) from error
    except Exception as error:  # Four libraries read it, each with errors of its own.
        raise ModelUnavailableError(
            f"the text model in {folder} can't be loaded ({type(error).__name__}); it "
            "must be a sentence-transformers folder with safetensors and a fast "
            "tokenizer"
        ) from error
