"""A sentence-transformers model that gives the same bits whatever the batch.

Behind `text`. One text's embedding never depends on the texts beside it, so that the
worker's micro-batches and `headgate assess` decide alike.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

from encoders.embedding_cache import EmbeddingCache, text_key
from encoders.signals import ModelIdentity, Span
from encoders.text_split import split_text
from encoders.traced_model import traced

_LONGEST_WINDOW_TOKENS: Final = 512  # For models that state none; BERT's limit.


@dataclass(frozen=True, slots=True)
class BatchShape:
    """How texts go through the model together.

    A matrix product of another shape rounds otherwise, so each call has `rows` rows and
    a text's length alone says to how many tokens it is padded: to the next multiple of
    `step_tokens`. (Of 160 SMS texts, 56 change their last bits with the batch in the
    library's own `encode`, and 20 with the number of threads in one product.)
    """

    rows: int
    step_tokens: int


# One by one and unpadded: 38 SMS texts a second and core, where `encode` gives 26 to 45
# depending on the batch, and the least delay for one.
ON_CPU: Final = BatchShape(rows=1, step_tokens=1)
# A GPU is idle at one short text; 16 tokens are a tile of its matrix units.
ON_CUDA: Final = BatchShape(rows=32, step_tokens=16)


class SentenceEncoder:
    """A sentence-transformers model behind `TextEncoder`."""

    def __init__(
        self, model: SentenceTransformer, identity: ModelIdentity, shape: BatchShape
    ) -> None:
        self._model = model.eval()
        self._identity = identity
        self._shape = shape
        self._window_tokens = min(
            model.max_seq_length or _LONGEST_WINDOW_TOKENS, _LONGEST_WINDOW_TOKENS
        )
        self._pad_id = int(model.tokenizer.pad_token_id or 0)
        # Copies: the model's own pads and cuts as its last caller set it to.
        self._whole = _copy_tokenizer(model, None)
        self._windowed = _copy_tokenizer(model, self._window_tokens)
        self._cache = EmbeddingCache()
        self._unit_vectors = traced(self._model)
        self._workers = _single_threaded(torch.get_num_threads())
        self._dim = len(self._compute(["dimension"])[0])

    @property
    def dim(self) -> int:
        """See `TextEncoder`."""
        return self._dim

    @property
    def model(self) -> ModelIdentity:
        """See `TextEncoder`."""
        return self._identity

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `TextEncoder`; a text met lately, or twice here, is computed once."""
        by_key = {text_key(text): text for text in map(_encodable, texts)}
        rows = {key: self._cache.get(key) for key in by_key}
        new = [key for key, row in rows.items() if row is None]
        for key, row in zip(new, self._compute([by_key[k] for k in new]), strict=True):
            rows[key] = row
            self._cache.put(key, row)
        result = np.zeros((len(texts), self._dim), np.float32)
        for at, text in enumerate(texts):
            result[at] = rows[text_key(_encodable(text))]
        return result

    def split(self, text: str) -> tuple[Span, ...]:
        """See `TextEncoder`."""
        special = self._whole.num_special_tokens_to_add(is_pair=False)
        window_tokens = self._window_tokens - special
        return split_text(_encodable(text), self._token_starts, window_tokens)

    def _token_starts(self, text: str) -> list[int]:
        encoded = self._whole.encode(text, add_special_tokens=False)
        return [start for start, _ in encoded.offsets]

    def _compute(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Embed texts in batches of one shape per length, several at a time."""
        # One at a time: `encode_batch` starts threads that a later fork trips over.
        ids = [self._windowed.encode(text).ids for text in texts]
        groups: dict[int, list[int]] = {}
        for at, row in enumerate(ids):
            padded = -(-len(row) // self._shape.step_tokens) * self._shape.step_tokens
            groups.setdefault(min(padded, self._window_tokens), []).append(at)
        size = self._shape.rows
        batches = [
            (length, members[first : first + size])
            for length, members in groups.items()
            for first in range(0, len(members), size)
        ]
        inputs = (([ids[at] for at in chunk], length) for length, chunk in batches)
        vectors = self._workers.map(lambda batch: self._forward(*batch), inputs)
        found: dict[int, NDArray[np.float32]] = {}
        for (_, chunk), rows in zip(batches, vectors, strict=True):
            found.update(zip(chunk, rows, strict=False))
        return [found[at] for at in range(len(texts))]

    def _forward(self, ids: list[list[int]], length: int) -> NDArray[np.float32]:
        """Run the model once: float32, shape (rows, dim), rows of unit length."""
        full = ids + ids[:1] * (self._shape.rows - len(ids))  # What fills up is unread.
        tokens = torch.full((len(full), length), self._pad_id, dtype=torch.long)
        mask = torch.zeros((len(full), length), dtype=torch.long)
        for at, row in enumerate(full):
            tokens[at, : len(row)] = torch.tensor(row)
            mask[at, : len(row)] = 1
        device = self._model.device
        with torch.inference_mode():
            unit = self._unit_vectors(tokens.to(device), mask.to(device))
        return np.asarray(unit.cpu().numpy(), np.float32)


def _single_threaded(workers: int) -> ThreadPoolExecutor:
    """Start threads that each compute alone: more of them don't change the rounding."""
    setting = torch.get_num_threads()
    all_started = Barrier(workers)

    def start(_: int) -> None:
        torch.get_num_threads()  # Makes torch set this thread up, which it does late.
        torch.set_num_threads(1)  # For this thread, and for those not yet set up …
        all_started.wait()

    pool = ThreadPoolExecutor(workers, thread_name_prefix="text")
    list(pool.map(start, range(workers)))
    torch.set_num_threads(setting)  # … which get their setting back here.
    return pool


def _copy_tokenizer(model: SentenceTransformer, max_tokens: int | None) -> Tokenizer:
    copy = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    copy.no_padding()
    if max_tokens is None:
        copy.no_truncation()
    else:
        copy.enable_truncation(max_tokens)
    return copy


def _encodable(text: str) -> str:
    """Put `?` for each half of a surrogate pair: Rust's strings have no such thing."""
    return text.encode("utf-8", "replace").decode("utf-8")
