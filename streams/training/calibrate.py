"""Turn out-of-fold logits into probabilities that mean what they say (Platt scaling).

Training sets are far more positive than a real stream, so each category is calibrated
to one stated base rate: known positives together weigh BASE_RATE, negatives the rest.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

# The share of positives the probabilities refer to. Real uploads are below it for every
# category, so an operator's alarm rate is below what the numbers promise.
BASE_RATE: Final = 0.05
NEWTON_STEPS: Final = 50
# A weak prior on the slope, in effective rows: separable thin categories would
# otherwise be given an infinite slope.
SLOPE_PRIOR: Final = 1.0


@dataclass(frozen=True, slots=True)
class Platt:
    """Probability = sigmoid(slope * logit + offset)."""

    slope: float
    offset: float

    def __call__(self, logits: Array) -> Array:
        """Return probabilities, the shape of `logits`."""
        return sigmoid(self.slope * logits + self.offset)


def sigmoid(logits: Array) -> Array:
    """Return 1 / (1 + exp(-logits)) without overflow."""
    values: Array = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return values


def base_rate_weights(labels: Array, weights: Array) -> Array:
    """Scale `weights` so that positives are BASE_RATE of the total; the sum is kept."""
    positive, negative = weights * (labels == 1), weights * (labels == 0)
    total = weights.sum()
    scaled: Array = positive * (
        BASE_RATE * total / max(positive.sum(), 1e-9)
    ) + negative * ((1 - BASE_RATE) * total / max(negative.sum(), 1e-9))
    return scaled


def fit_platt(logits: Array, labels: Array, weights: Array) -> Platt:
    """Fit slope and offset by Newton's method on the base-rate-weighted log loss."""
    share = base_rate_weights(labels, weights)
    inputs = np.stack([logits, np.ones_like(logits)], axis=1).astype(np.float64)
    answer = np.array([1.0, np.log(BASE_RATE / (1 - BASE_RATE))])
    prior = np.diag([SLOPE_PRIOR, 1e-6])
    centre = np.array([1.0, 0.0])
    for _ in range(NEWTON_STEPS):
        guess = sigmoid(inputs @ answer)
        slope = inputs.T @ (share * (guess - labels)) + prior @ (answer - centre)
        curvature = (inputs * (share * guess * (1 - guess))[:, None]).T @ inputs + prior
        answer = answer - np.clip(np.linalg.solve(curvature, slope), -1.0, 1.0)
    return Platt(float(answer[0]), float(answer[1]))
