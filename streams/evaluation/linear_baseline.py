"""The linear profanity classifier of the shared data: what everything is compared with.

`vzhou842/profanity-check` (MIT): word counts, a linear SVM, Platt scaling over five
folds; trained by its author on Davidson's tweets and on comments of Wikipedia, so its
figures on those tweets are not clean.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

NAME: Final = "linear profanity SVM"
THRESHOLD: Final = 0.5  # Its author's.
_WORD: Final = re.compile(r"\b\w\w+\b")


@dataclass(frozen=True, slots=True)
class LinearBaseline:
    """The classifier as read from its folder."""

    columns: Mapping[str, int]
    coefficients: NDArray[np.float64]  # Shape (folds, words).
    intercepts: NDArray[np.float64]  # Shape (folds,), as the two below.
    platt_a: NDArray[np.float64]
    platt_b: NDArray[np.float64]

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of profanity, float64, shape (len(texts),)."""
        return np.array([self._one(text) for text in texts], dtype=np.float64)

    def _one(self, text: str) -> float:
        found = (self.columns.get(word) for word in _WORD.findall(text.lower()))
        words = [column for column in found if column is not None]
        logits = self.coefficients[:, words].sum(axis=1) + self.intercepts
        with np.errstate(over="ignore"):  # A long insult's exp is infinite: p is 0.
            return float(
                np.mean(1 / (1 + np.exp(self.platt_a * logits + self.platt_b)))
            )


def read_linear_baseline(folder: Path) -> LinearBaseline:
    """Read the classifier from `weights/profanity_check_linear`.

    Raises:
        OSError: the files can't be read.
    """
    words = (folder / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    with np.load(folder / "profanity_check_linear.npz", allow_pickle=False) as stored:
        return LinearBaseline(
            {word: column for column, word in enumerate(words)},
            *(
                stored[name].astype(np.float64)
                for name in ("coef", "intercept", "platt_a", "platt_b")
            ),
        )
