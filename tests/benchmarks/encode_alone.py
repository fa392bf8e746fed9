"""The text model without a stream: the library's own `encode`, at its best."""

from collections.abc import Sequence

from sentence_transformers import SentenceTransformer

from encoders.model_files import find_text_model
from tests.benchmarks.table import timed
from tests.benchmarks.uploads import texts

BATCHES = (1, 8, 32, 64)


class EncodeAlone:
    """`SentenceTransformer.encode` on sorted texts, with the batch size that won."""

    def __init__(self, tried: int) -> None:
        """Try each batch size with `tried` texts."""
        folder = find_text_model("all-MiniLM-L6-v2", allow_download=False)
        self._model = SentenceTransformer(str(folder), device="cpu")
        sample = sorted(texts(tried, 800_000), key=len)
        self._model.encode(sample)  # The first call is slower.
        taken = {
            size: timed(lambda s=size: self._encode(sample, s)) for size in BATCHES
        }
        self.best_batch = min(taken, key=lambda size: taken[size])

    def per_s(self, some: Sequence[str]) -> float:
        """Return how many texts are embedded a second; sorting counts."""
        spent_s = timed(lambda: self._encode(sorted(some, key=len), self.best_batch))
        return len(some) / spent_s

    def _encode(self, some: Sequence[str], batch: int) -> None:
        self._model.encode(list(some), batch_size=batch, show_progress_bar=False)
