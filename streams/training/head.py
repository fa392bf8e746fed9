"""The head: a small network on an embedding, one logit per category; and its loss.

Unknown labels are masked out of the loss.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# A category's positives together weigh a third of its negatives, but none more than
# this many times its own weight: at 300 times, as 14 rows of graphic violence would
# need, one row's gradient drowns its batch and nothing is learnt.
POSITIVE_TO_NEGATIVE: Final = 1 / 3
MOST_TIMES: Final = 6.0


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


def loss_shares(labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Return what each label counts in the loss: its row's weight, positives more.

    Args:
        labels: float32, shape (n, categories); NaN where unknown.
        weights: float32, shape (n,); how much a row counts.

    Returns:
        float32, shape of `labels`; 0 where the label is unknown.
    """
    positive = (labels == 1) * weights[:, None]
    negative = (labels == 0) * weights[:, None]
    wanted = POSITIVE_TO_NEGATIVE * negative.sum(axis=0)
    times = np.clip(wanted / np.maximum(positive.sum(axis=0), 1e-9), 1.0, MOST_TIMES)
    shares: FloatArray = (positive * times + negative).astype(np.float32)
    return shares
