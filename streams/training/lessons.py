"""Which rows a training may see, and how much each counts."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.hidden_words import Words
from encoders.normalise import normalise
from streams.training import contrast
from streams.training.clusters import clusters, folds, near_any
from streams.training.disguises import disguised
from streams.training.examples import Example, label_matrix, weights_of
from streams.training.fine_tune import Lesson
from streams.training.head import FloatArray, loss_shares

IN_NO_FOLD: Final = -1
# Longer texts are seldom disguised; and half of one would be cut in training.
LONGEST_DISGUISED: Final = 700  # Characters.
# The chance of a copy: disguise must not itself be the sign of harm.
RISKY_COPIES: Final = 0.35
OTHER_COPIES: Final = 0.15
COPY_WEIGHT: Final = 0.6
# The chance of a row to be in an epoch; what is rare is there in each. A source's
# weight in the loss stays, whatever is drawn.
DRAWN: Final = {"davidson": 0.15, "mlma": 0.4, "sms": 0.2, "youtube": 0.5}
SPOKEN_DRAWN: Final = 0.4


@dataclass(frozen=True, slots=True)
class Rows:
    """Every training row, with its cluster and fold.

    `groups` and `fold_of` are int64, shape (n,). The team's contrast lines are in no
    fold: they are in no figure, and are trained on wherever no held row is like them.
    """

    examples: Sequence[Example]
    groups: NDArray[np.int64]
    fold_of: NDArray[np.int64]

    def judged(self, fold: int) -> NDArray[np.int64]:
        """Return which rows are held out with a fold: copies are not judged."""
        return np.array(
            [
                at
                for at in np.flatnonzero(self.fold_of == fold).tolist()
                if ":" not in self.examples[at].source
            ],
            dtype=np.int64,
        )

    def learnt_without(self, fold: int) -> NDArray[np.int64]:
        """Return which rows may be learnt from where a fold is held out."""
        held = self._examples(np.flatnonzero(self.fold_of == fold))
        free = np.flatnonzero(self.fold_of == IN_NO_FOLD)
        alike = near_any(self._examples(free), held)
        others = (self.fold_of != fold) & (self.fold_of != IN_NO_FOLD)
        return np.concatenate([np.flatnonzero(others), free[~alike]])

    def _examples(self, places: NDArray[np.int64]) -> list[Example]:
        return [self.examples[at] for at in places.tolist()]


def rows_of(examples: Sequence[Example], n_folds: int, seed: int) -> Rows:
    """Cluster the examples and deal them to folds."""
    in_folds = np.array([not _is_contrast(e) for e in examples])
    groups = np.full(len(examples), IN_NO_FOLD, dtype=np.int64)
    groups[in_folds] = clusters([e for e in examples if not _is_contrast(e)])
    fold_of = np.full(len(examples), IN_NO_FOLD, dtype=np.int64)
    fold_of[in_folds] = folds(groups[in_folds], n_folds, seed)
    return Rows(examples, groups, fold_of)


def with_disguised_copies(examples: Sequence[Example], seed: int) -> Iterator[Example]:
    """Yield the examples, some also as people write who would not be found."""
    chance = np.random.default_rng(seed)
    for example in examples:
        yield example
        share = RISKY_COPIES if any(example.labels.values()) else OTHER_COPIES
        if (
            chance.random() < share
            and ":spoken" not in example.source
            and example.source in _DISGUISED
            and len(example.text) <= LONGEST_DISGUISED
        ):
            yield replace(
                example,
                text=disguised(example.text, zlib.crc32(example.text.encode())),
                source=f"{example.source}:disguised",
                weight=COPY_WEIGHT * example.weight,
            )


# Tweets and comments are misspelt as it is.
_DISGUISED: Final = frozenset({"openai", "hatecheck", "sms", "own", contrast.SOURCE})


def as_read(examples: Sequence[Example], words: Words) -> list[Example]:
    """Return the examples as the scorer sees texts: what hides words is undone."""
    return [replace(e, text=normalise(e.text, words).text) for e in examples]


def lesson(rows: Rows, chosen: NDArray[np.int64], anchors: FloatArray) -> Lesson:
    """Make the chosen rows a lesson; `anchors` are all rows' base embeddings."""
    examples = [rows.examples[at] for at in chosen.tolist()]
    labels = label_matrix(examples)
    draw = [_drawn(e.source) for e in examples]
    return Lesson(
        [e.text for e in examples],
        labels,
        loss_shares(labels, weights_of(examples)),
        np.array(draw, dtype=np.float32),
        anchors[chosen],
    )


def _drawn(source: str) -> float:
    published, _, copy = source.partition(":")
    share = DRAWN.get(published, 1.0)
    return share * SPOKEN_DRAWN if copy == "spoken" else share


def _is_contrast(example: Example) -> bool:
    return example.source.startswith(contrast.SOURCE)
