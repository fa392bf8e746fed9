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
    name_or_path: str, *, device: str, allow_download: bool, sha256: str | None = None
) -> TextEncoder:
    """Load a sentence-transformers model by name or folder; takes seconds.

    With `sha256` it must be the model of that hash, which is checked before loading.

    Raises:
        ModelUnavailableError: it can't be had or read; the message says what to do.
    """
    folder = find_text_model(name_or_path, allow_download=allow_download)
    identity = ModelIdentity("text", name_or_path, sha256_of(folder, TEXT_MODEL_FILES))
    check_pinned(identity.sha256, sha256, "HEADGATE_TEXT_MODEL_SHA256")
    # Imported here because they take seconds, and most commands load no model.
    import transformers
    from sentence_transformers import SentenceTransformer

    from encoders.sentence_encoder import load

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
        return load(model, identity, device)
    except Exception as error:  # Four libraries read it, each with errors of its own.
        raise ModelUnavailableError(
            f"the text model in {folder} can't be loaded ({type(error).__name__}); it "
            "must be a sentence-transformers folder with safetensors and a fast "
            "tokenizer"
        ) from error
