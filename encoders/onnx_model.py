"""A text model on ONNX Runtime: the same numbers as torch's, several times as fast.

Behind `sentence_encoder`. On a CPU only. The graph is made from the loaded weights, in
memory, in a second or two: nothing is downloaded, and no second file of weights has to
be kept or trusted.

What makes it fit to decide with: its matrix products give a row the same bits however
many rows there are, so texts of one length may share a pass without a text's embedding
depending on its company. (torch's don't: see `sentence_encoder`.) Only the pooling of
tokens would, so that is done here, text by text. Both properties are the library's
habit and not its promise, so both are checked on this machine before it is used.
"""

import io
import warnings
from typing import Final

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from torch import Tensor

# The most that an embedding may differ from torch's in any number; float32 leaves 3e-7.
TOLERANCE: Final = 1e-5
_OPSET: Final = 17  # The first with LayerNormalization as one operation.
# Rows and tokens that are tried before use: odd, full tiles of 16, and beyond them.
_CHECKED_SHAPES: Final = ((2, 3), (3, 16), (7, 17), (2, 100))

Tokens = NDArray[np.int64]
Vectors = NDArray[np.float32]


class UnsuitableModelError(Exception):
    """The model can't run here with the same numbers; run it on torch."""


class OnnxModel:
    """Token ids to unit vectors; the same bits whatever rows stand beside a row."""

    def __init__(self, model: SentenceTransformer) -> None:
        """Make the graph and check it against the model.

        Raises:
            UnsuitableModelError: it can't be exported, or gives other numbers, as one
                without mean pooling does.
        """
        options = onnxruntime.SessionOptions()
        # A thread a pass: several passes at once use the cores better than one pass
        # on several (637 to 485 SMS texts a second on 2 cores).
        options.intra_op_num_threads = 1
        options.log_severity_level = 3  # Errors.
        try:
            self._session = onnxruntime.InferenceSession(
                _exported(model), options, providers=["CPUExecutionProvider"]
            )
            fault = self._fault(model)
        except Exception as error:  # Two libraries, models of all makes.
            raise UnsuitableModelError(f"{type(error).__name__}: {error}") from error
        if fault is not None:
            raise UnsuitableModelError(fault)

    def __call__(self, tokens: Tokens, mask: Tokens) -> Vectors:
        """Embed texts of one length; blocks, and may be called from several threads.

        Args:
            tokens: Token ids, int64, shape (rows, tokens), without padding.
            mask: All ones, the same shape; not read.

        Returns:
            float32, shape (rows, dim), rows of unit length.
        """
        (states,) = self._session.run(None, {"tokens": tokens})
        # Row by row: a sum over all rows at once rounds otherwise than over one.
        return np.stack([_unit(one.mean(axis=0)) for one in states])

    def _fault(self, model: SentenceTransformer) -> str | None:
        """Say what is wrong, if something is: other numbers, or bits that depend."""
        for rows, length in _CHECKED_SHAPES:
            tokens = _example(rows, length)
            mask = np.ones_like(tokens)
            together = self(tokens, mask)
            alone = np.concatenate([self(row[None], mask[:1]) for row in tokens])
            if not np.array_equal(together, alone):
                return f"a text's bits depend on its company at {rows} x {length}"
            away = float(np.abs(together - _by_torch(model, tokens)).max())
            if not away <= TOLERANCE:
                return f"it is {away:.1e} from torch, {TOLERANCE} allowed"
        return None


class _States(torch.nn.Module):
    """The transformer alone: token ids to the last hidden states, nothing masked."""

    def __init__(self, transformer: torch.nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, tokens: Tensor) -> Tensor:
        """Return float32, shape (rows, tokens, dim)."""
        states: Tensor = self.transformer(input_ids=tokens).last_hidden_state
        return states


def _exported(model: SentenceTransformer) -> bytes:
    written = io.BytesIO()
    transformer = model[0].auto_model
    assert isinstance(transformer, torch.nn.Module)
    with torch.no_grad(), warnings.catch_warnings():
        # The exporter that traces is deprecated, and warns of each constant it takes;
        # the newer one takes 8 s where this takes 1.4, and needs two more libraries.
        # Should it go, models run on torch as before. What it gives is checked.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _States(transformer).eval(),
            (torch.from_numpy(_example(2, 17)),),
            written,  # type: ignore[arg-type]  # This exporter takes files too.
            dynamo=False,
            opset_version=_OPSET,
            input_names=["tokens"],
            output_names=["states"],
            dynamic_axes={"tokens": {0: "rows", 1: "length"}},
        )
    return written.getvalue()


def _by_torch(model: SentenceTransformer, tokens: Tokens) -> Vectors:
    ids = torch.from_numpy(tokens).to(model.device)
    with torch.inference_mode():
        found = model({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
        unit = torch.nn.functional.normalize(found["sentence_embedding"].float(), dim=1)
    return np.asarray(unit.cpu().numpy(), np.float32)


def _unit(vector: Vectors) -> Vectors:
    length = np.sqrt(np.sum(vector * vector))
    return np.asarray(vector / max(float(length), 1e-12), np.float32)


def _example(rows: int, length: int) -> Tokens:
    return np.arange(1, rows * length + 1, dtype=np.int64).reshape(rows, length)
