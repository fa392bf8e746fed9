"""A sentence-transformers model that gives the same bits whatever the batch.

Behind `text`. One text's embedding never depends on the texts beside it, so that the
worker's micro-batches and `headgate assess` decide alike.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
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
from encoders.onnx_model import OnnxModel, UnsuitableModelError
from encoders.signals import ModelIdentity, Span
from encoders.text_split import split_text
from encoders.traced_model import traced

log = logging.getLogger(__name__)

_LONGEST_WINDOW_TOKENS: Final = 512  # For models that state none; BERT's limit.


# Token ids and mask, int64, shape (rows, tokens), to unit vectors, float32.
Forward = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class BatchShape:
    """How texts go through the model together.

    A text's length alone says to how many tokens it is padded: to the next multiple of
    `step_tokens`. Texts of one padded length share a pass, up to `rows` of them and up
    to `pass_tokens` tokens. Where a matrix product of another shape rounds otherwise,
    every pass is `filled` up to `rows`. (On torch, of 160 SMS texts, 56 change their
    last bits with the batch in the library's own `encode`, and 20 with the number of
    threads in one product.)
    """

    rows: int
    step_tokens: int
    pass_tokens: int = 1 << 20
    filled: bool = True


# ONNX Runtime gives a row the same bits among any rows, but not among padding: so no
# padding. 512 tokens a pass: its widest layer is 3 MB then (1,536 float32 a token).
ON_ONNX: Final = BatchShape(rows=64, step_tokens=1, pass_tokens=512, filled=False)
# torch on a CPU, one by one and unpadded: half of ONNX Runtime's speed, for models that
# can't be had there.
ON_CPU: Final = BatchShape(rows=1, step_tokens=1)
# A GPU is idle at one short text; 16 tokens are a tile of its matrix units.
ON_CUDA: Final = BatchShape(rows=32, step_tokens=16)


class SentenceEncoder:
    """A sentence-transformers model behind `TextEncoder`."""

    def __init__(
        self,
        model: SentenceTransformer,
        identity: ModelIdentity,
        forward: Forward,
        shape: BatchShape,
    ) -> None:
        self._identity = identity
        self._forward = forward
        self._shape = shape
        self._window_tokens = min(
            model.max_seq_length or _LONGEST_WINDOW_TOKENS, _LONGEST_WINDOW_TOKENS
        )
        self._pad_id = int(model.tokenizer.pad_token_id or 0)
        # Copies: the model's own pads and cuts as its last caller set it to.
        self._whole = _copy_tokenizer(model, None)
        self._windowed = _copy_tokenizer(model, self._window_tokens)
        self._words = _words(self._whole)
        self._cache = EmbeddingCache()
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

    @property
    def words(self) -> Mapping[str, int]:
        """See `TextEncoder`."""
        return self._words

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `TextEncoder`; a text met lately, or twice here, is computed once."""
        whole = [_encodable(text) for text in texts]
        keys = [text_key(self._identity.sha256, text) for text in whole]
        by_key = dict(zip(keys, whole, strict=True))
        rows = {key: self._cache.get(key) for key in by_key}
        new = [key for key, row in rows.items() if row is None]
        for key, row in zip(new, self._compute([by_key[k] for k in new]), strict=True):
            rows[key] = row
            self._cache.put(key, row)
        result = np.zeros((len(texts), self._dim), np.float32)
        for at, key in enumerate(keys):
            result[at] = rows[key]
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
        """Embed texts in passes of one length each, several passes at a time."""
        # One at a time: `encode_batch` starts threads that a later fork trips over.
        ids = [self._windowed.encode(text).ids for text in texts]
        passes = self._passes([len(row) for row in ids])
        inputs = (([ids[at] for at in chunk], length) for length, chunk in passes)
        vectors = self._workers.map(lambda one: self._run(*one), inputs)
        found: dict[int, NDArray[np.float32]] = {}
        for (_, chunk), rows in zip(passes, vectors, strict=True):
            found.update(zip(chunk, rows, strict=False))
        return [found[at] for at in range(len(texts))]

    def _passes(self, lengths: Sequence[int]) -> list[tuple[int, list[int]]]:
        """Say which texts go together, by place, and padded to how many tokens."""
        shape = self._shape
        groups: dict[int, list[int]] = {}
        for at, length in enumerate(lengths):
            padded = -(-length // shape.step_tokens) * shape.step_tokens
            groups.setdefault(min(padded, self._window_tokens), []).append(at)
        # The longest first: at the end no thread waits for another's long pass.
        return [
            (length, members[first : first + rows])
            for length, members in sorted(groups.items(), reverse=True)
            for rows in (max(1, min(shape.rows, shape.pass_tokens // length)),)
            for first in range(0, len(members), rows)
        ]

    def _run(self, ids: list[list[int]], length: int) -> NDArray[np.float32]:
        """Run the model once: float32, shape (rows, dim), rows of unit length."""
        if self._shape.filled:  # What fills up is unread.
            ids = ids + ids[:1] * (self._shape.rows - len(ids))
        tokens = np.full((len(ids), length), self._pad_id, np.int64)
        mask = np.zeros_like(tokens)
        for at, row in enumerate(ids):
            tokens[at, : len(row)] = row
            mask[at, : len(row)] = 1
        return self._forward(tokens, mask)


def load(
    model: SentenceTransformer, identity: ModelIdentity, device: str
) -> SentenceEncoder:
    """Choose what runs the model: ONNX Runtime on a CPU, torch for all else."""
    model = model.eval()
    if device == "cuda":
        return SentenceEncoder(model, identity, on_torch(model), ON_CUDA)
    try:
        return SentenceEncoder(model, identity, OnnxModel(model), ON_ONNX)
    except UnsuitableModelError as error:
        log.warning("text model runs on torch, at half the speed: %s", error)
        return SentenceEncoder(model, identity, on_torch(model), ON_CPU)


def on_torch(model: SentenceTransformer) -> Forward:
    """Return the model as torch runs it, arrays in and out."""
    unit_vectors = traced(model)

    def forward(
        tokens: NDArray[np.int64], mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        device = model.device
        with torch.inference_mode():
            unit = unit_vectors(
                torch.from_numpy(tokens).to(device), torch.from_numpy(mask).to(device)
            )
        return np.asarray(unit.cpu().numpy(), np.float32)

    return forward


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


def _words(tokenizer: Tokenizer) -> dict[str, int]:
    """Return the vocabulary's whole words; vocabularies are in order of frequency."""
    vocabulary = tokenizer.get_vocab(with_added_tokens=False)
    # SentencePiece and byte-level BPE mark a word's begin, WordPiece (##) the rest.
    marked = {t[1:]: rank for t, rank in vocabulary.items() if t[:1] in ("▁", "Ġ")}
    return {
        word.lower(): rank
        for word, rank in (marked or vocabulary).items()
        if word.isascii() and word.isalpha()
    }


def _encodable(text: str) -> str:
    """Put `?` for each half of a surrogate pair: Rust's strings have no such thing."""
    return text.encode("utf-8", "replace").decode("utf-8")
