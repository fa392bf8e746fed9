"""Fine-tune a text model and its head together, by one thread, the same every time.

Several trainings at once use the cores better than one training on several: a batch of
short texts is too little work to share. The base is frozen; a low-rank adapter and the
head are learnt. Unknown labels are masked out of the loss.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from encoders.text_adapter import TextAdapter
from encoders.trainable_text import TrainableText
from streams.training.head import FloatArray, HeadWeights

Progress = Callable[[int, int], None]  # Steps done, steps in all.

# Rows sorted by length within a stretch of this many batches: little padding, and
# still other neighbours in every epoch.
_SORTED_BATCHES: Final = 16


@dataclass(frozen=True, slots=True)
class Recipe:
    """How adapter and head are trained.

    The defaults come from an inner split that MODEL_CARD.md tells of. The shipped files
    must stay under 8 MB, of which rank 32 takes 2.7.
    """

    rank: int = 32
    alpha: float = 32.0  # The pair's product counts alpha / rank times.
    # Thrice this rate lost the base model's knowledge, and all inputs gave one output.
    adapter_learning_rate: float = 3e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.05
    hidden_units: int = 256
    # Of what the head is given. A unit vector's numbers are small: without it the head
    # learns too slowly, and the adapter is torn about to make up for it.
    scale: float = 16.0
    dropout: float = 0.3  # Of the head's hidden units.
    epochs: int = 4
    batch_tokens: int = 1024  # About forty tweets.
    longest_tokens: int = 128  # Of a text; three in four prompts are shorter.
    warm_up: float = 0.06  # Share of the steps in which the rate rises.
    # Weight of staying near the base model's embedding: keeps near copies near, which
    # the near-duplicate scorer lives of.
    anchor: float = 0.3
    bfloat16: bool = True  # Matrix products; 2.4 times as fast where the CPU has them.


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learnt from; one row a text.

    `anchors` are the base model's embeddings, float32, shape (n, dim), unit length.
    `loss_share` is float32, shape (n, categories), 0 where the label is unknown;
    `draw` float32, shape (n,), the chance of a row to be in an epoch.
    """

    texts: Sequence[str]
    labels: FloatArray
    loss_share: FloatArray
    draw: FloatArray
    anchors: FloatArray


def fine_tune(
    base: TrainableText,
    lesson: Lesson,
    recipe: Recipe,
    seed: int,
    progress: Progress,
) -> tuple[TextAdapter, HeadWeights]:
    """Train on the lesson; `base` is changed and is of no further use."""
    hidden = nn.Linear(base.dim, recipe.hidden_units)
    output = nn.Linear(recipe.hidden_units, lesson.labels.shape[1])
    head = nn.Sequential(hidden, nn.ReLU(), nn.Dropout(recipe.dropout), output)
    rows = base.token_ids(lesson.texts, recipe.longest_tokens)
    batches = list(_batches([len(r) for r in rows], lesson.draw, recipe, seed))
    groups = [
        {"params": base.parameters(), "lr": recipe.adapter_learning_rate},
        {"params": list(head.parameters()), "lr": recipe.head_learning_rate},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: _rate(step / len(batches), recipe.warm_up)
    )
    learnt = [*base.parameters(), *head.parameters()]
    targets = _Targets(lesson)
    base.train(True)
    for step, batch in enumerate(batches):
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
            vectors = base([rows[at] for at in batch.tolist()])
        optimizer.zero_grad()
        targets.loss(head, vectors.float(), batch, recipe).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped.
        nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        schedule.step()
        progress(step + 1, len(batches))
    base.train(False)
    return base.adapter(), _weights(hidden, output, recipe.scale)


class _Targets:
    """What the lesson wants of each row, as tensors."""

    def __init__(self, lesson: Lesson) -> None:
        # A row that is drawn every other time counts double when it is.
        share = lesson.loss_share / np.maximum(lesson.draw, 1e-6)[:, None]
        self._labels = torch.from_numpy(np.nan_to_num(lesson.labels))
        self._share = torch.from_numpy(share)
        self._anchors = torch.from_numpy(lesson.anchors)

    def loss(
        self, head: nn.Module, vectors: Tensor, batch: NDArray[np.int64], recipe: Recipe
    ) -> Tensor:
        """Return the masked loss, and how far the texts have moved from the base."""
        rows = torch.from_numpy(batch)
        judged: Tensor = head(vectors * recipe.scale)
        moved = 1 - (vectors * self._anchors[rows]).sum(dim=1)  # A cosine below 1.
        wrong = _loss(judged, self._labels[rows], self._share[rows])
        return wrong + recipe.anchor * moved.mean()


def _weights(hidden: nn.Linear, output: nn.Linear, scale: float) -> HeadWeights:
    return HeadWeights(
        (scale * hidden.weight.detach()).numpy().T.copy(),
        hidden.bias.detach().numpy().copy(),
        output.weight.detach().numpy().T.copy(),
        output.bias.detach().numpy().copy(),
    )


def _loss(logits: Tensor, labels: Tensor, share: Tensor) -> Tensor:
    losses = nn.functional.binary_cross_entropy_with_logits(
        logits, labels, weight=share, reduction="sum"
    )
    return losses / logits.numel()


def _rate(done: float, warm_up: float) -> float:
    """Rise, then fall to nothing along a line; `done` in [0, 1]."""
    return min(done / warm_up + 0.01, 1.0, (1.0 - done) / (1.0 - warm_up) + 1e-3)


def _batches(
    lengths: Sequence[int], draw: FloatArray, recipe: Recipe, seed: int
) -> Iterator[NDArray[np.int64]]:
    """Give the rows of each step: texts of like lengths, up to `batch_tokens`."""
    rng = np.random.default_rng(seed)
    sizes = np.array(lengths)
    for _ in range(recipe.epochs):
        drawn = rng.permutation(np.flatnonzero(rng.random(len(sizes)) < draw))
        stretch = max(1, int(_SORTED_BATCHES * recipe.batch_tokens / sizes.mean()))
        batches = [
            batch
            for first in range(0, len(drawn), stretch)
            for batch in _by_length(drawn[first : first + stretch], sizes, recipe)
        ]
        for at in rng.permutation(len(batches)):
            yield batches[at]


def _by_length(
    rows: NDArray[np.int64], sizes: NDArray[np.int64], recipe: Recipe
) -> Iterator[NDArray[np.int64]]:
    rows = rows[np.argsort(sizes[rows], kind="stable")]
    first = 0
    for last in range(1, len(rows) + 1):
        longest = sizes[rows[min(last, len(rows) - 1)]]
        full = (last + 1 - first) * longest > recipe.batch_tokens
        if last == len(rows) or full:
            yield rows[first:last]
            first = last
