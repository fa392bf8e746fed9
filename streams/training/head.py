"""The head itself: a small network on a frozen embedding, one logit per category.

Unknown labels are masked out of the loss. Several seeds are trained and averaged, which
is again one network of the same form: their hidden units side by side. The default is
one seed; three gained nothing out of fold.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a head is trained; the defaults won the cross-validation in MODEL_CARD.md."""

    hidden_units: int = 256
    dropout: float = 0.5
    epochs: int = 30
    batch_rows: int = 512
    learning_rate: float = 4e-3
    weight_decay: float = 0.1
    seeds: int = 1


@dataclass(frozen=True, slots=True)
class HeadWeights:
    """A trained head: logits = relu(x @ hidden + hidden_bias) @ output + output_bias.

    float32; `hidden` has shape (dim, units), `output` (units, categories).
    """

    hidden: FloatArray
    hidden_bias: FloatArray
    output: FloatArray
    output_bias: FloatArray

    def logits(self, embeddings: FloatArray) -> FloatArray:
        """Return float32, shape (n, categories)."""
        units = np.maximum(embeddings @ self.hidden + self.hidden_bias, 0.0)
        logits: FloatArray = units @ self.output + self.output_bias
        return logits

    def rescaled(self, slope: FloatArray, offset: FloatArray) -> "HeadWeights":
        """Return a head whose logits are `slope * logits + offset`, per category."""
        return HeadWeights(
            self.hidden,
            self.hidden_bias,
            (self.output * slope).astype(np.float32),
            (self.output_bias * slope + offset).astype(np.float32),
        )


def train(
    embeddings: FloatArray,
    labels: FloatArray,
    weights: FloatArray,
    recipe: Recipe,
    seed: int,
) -> HeadWeights:
    """Train `recipe.seeds` heads and return their average as one.

    Args:
        embeddings: float32, shape (n, dim), rows of unit length.
        labels: float32, shape (n, categories); NaN where unknown.
        weights: float32, shape (n,); how much a row counts.
        recipe: How to train.
        seed: The same seed gives the same head on the same machine.
    """
    parts = [
        _train_one(embeddings, labels, weights, recipe, seed + offset)
        for offset in range(recipe.seeds)
    ]
    return HeadWeights(
        np.concatenate([p.hidden for p in parts], axis=1),
        np.concatenate([p.hidden_bias for p in parts]),
        (np.concatenate([p.output for p in parts]) / recipe.seeds).astype(np.float32),
        np.mean([p.output_bias for p in parts], axis=0, dtype=np.float32),
    )


def loss_weights(labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Spread `weights` over known labels so that each category weighs the same.

    Within a category positives together weigh POSITIVE_SHARE: some have fifty times
    more negatives than positives.

    Returns:
        float32, shape of `labels`; 0 where the label is unknown.
    """
    spread = np.where(np.isnan(labels), 0.0, weights[:, None])
    positive = spread * (labels == 1)
    negative = spread * (labels == 0)
    positive *= POSITIVE_SHARE / np.maximum(positive.sum(axis=0), 1e-9)
    negative *= (1 - POSITIVE_SHARE) / np.maximum(negative.sum(axis=0), 1e-9)
    share: FloatArray = ((positive + negative) * len(labels)).astype(np.float32)
    return share


# Of a category's loss. Calibration comes after and sets the real base rate.
POSITIVE_SHARE: Final = 0.25


def _train_one(
    embeddings: FloatArray,
    labels: FloatArray,
    weights: FloatArray,
    recipe: Recipe,
    seed: int,
) -> HeadWeights:
    torch.manual_seed(seed)
    hidden = nn.Linear(embeddings.shape[1], recipe.hidden_units)
    output = nn.Linear(recipe.hidden_units, labels.shape[1])
    network = nn.Sequential(hidden, nn.ReLU(), nn.Dropout(recipe.dropout), output)
    _fit(network, embeddings, labels, loss_weights(labels, weights), recipe, seed)
    return HeadWeights(
        hidden.weight.detach().numpy().T.copy(),
        hidden.bias.detach().numpy().copy(),
        output.weight.detach().numpy().T.copy(),
        output.bias.detach().numpy().copy(),
    )


def _fit(
    network: nn.Module,
    embeddings: FloatArray,
    labels: FloatArray,
    loss_share: FloatArray,
    recipe: Recipe,
    seed: int,
) -> None:
    rows = torch.from_numpy(embeddings)
    wanted = torch.from_numpy(np.nan_to_num(labels))
    share = torch.from_numpy(loss_share)
    optimizer = torch.optim.AdamW(
        network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    steps = recipe.epochs * -(-len(rows) // recipe.batch_rows)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    order = torch.Generator().manual_seed(seed)
    for _ in range(recipe.epochs):
        shuffled = torch.randperm(len(rows), generator=order)
        for start in range(0, len(rows), recipe.batch_rows):
            batch = shuffled[start : start + recipe.batch_rows]
            loss = nn.functional.binary_cross_entropy_with_logits(
                network(rows[batch]), wanted[batch], weight=share[batch]
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped.
            optimizer.step()
            schedule.step()
