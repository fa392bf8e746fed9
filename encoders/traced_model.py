"""A text model as one call that holds no lock of Python's while it computes.

Behind `sentence_encoder`. Run as Python, a model takes and gives back the interpreter's
lock at each of its 150 operations, and waits for it while the event loop is busy: a
text that takes 21 ms alone took 86 ms beside a busy thread, and traced 16 and 40 ms (2
cores). The bits are the same, which is checked before a trace is used.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor

# Token ids and mask, int64, shape (rows, tokens), to unit vectors, float32.
Forward = Callable[[Tensor, Tensor], Tensor]
# (rows, tokens): a trace that has learned one shape by heart fails on another.
_CHECKED_SHAPES: Final = ((1, 3), (1, 17), (1, 64), (2, 9))


class _UnitVectors(torch.nn.Module):
    """The model with what comes before and after it, tensors in and out."""

    def __init__(self, model: SentenceTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the sentences' vectors, of unit length."""
        features: dict[str, Any] = {"input_ids": tokens, "attention_mask": mask}
        vectors = self.model(features)["sentence_embedding"].float()
        return torch.nn.functional.normalize(vectors, dim=1)


def traced(model: SentenceTransformer) -> Forward:
    """Return the model as one call; as it is where a trace gives other bits, or fails.

    On a GPU it is left as it is: there the operations only queue.
    """
    plain = _UnitVectors(model).eval()
    if model.device.type != "cpu":
        return plain
    try:
        compiled = _trace(plain)
        same = all(_agree(plain, compiled, *shape) for shape in _CHECKED_SHAPES)
    except Exception:  # Models of all makes: what can't be traced runs as it is.
        return plain
    return compiled if same else plain


def _trace(plain: torch.nn.Module) -> Forward:
    with (
        torch.no_grad(),
        warnings.catch_warnings(),
        _quiet("sentence_transformers.base.model"),
    ):
        # It warns of each Python value that it takes for constant: hence the check. And
        # it looks at every attribute, of which the library has deprecated some.
        warnings.simplefilter("ignore")
        example = _example(*_CHECKED_SHAPES[1])
        script = torch.jit.trace(plain, example, check_trace=False)  # type: ignore[no-untyped-call]
        compiled: Forward = torch.jit.freeze(script.eval())
    return compiled


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Let a library's logger say errors only."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _agree(plain: Forward, compiled: Forward, rows: int, tokens: int) -> bool:
    example = _example(rows, tokens)
    with torch.no_grad():
        for _ in range(2):  # It optimises itself after the first call.
            compiled(*example)
        return torch.equal(plain(*example), compiled(*example))


def _example(rows: int, tokens: int) -> tuple[Tensor, Tensor]:
    """Make input; the last row ends in padding, as the shorter of a batch do."""
    ids = torch.arange(1, rows * tokens + 1, dtype=torch.long).reshape(rows, tokens)
    mask = torch.ones((rows, tokens), dtype=torch.long)
    if rows > 1:
        mask[-1, -1] = 0
    return ids, mask
