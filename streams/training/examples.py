"""One labelled text, and a set of them as arrays; the first value of training's flow.

datasets, own_texts, contrast -> examples -> lessons -> fine_tune -> jobs ->
calibrate -> evaluate -> text_risk
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.records import Category

# What the head covers; the order of its outputs. Only categories with labels to learn
# from; nothing about minors is ever among them.
COVERED: tuple[Category, ...] = (
    Category.HATE,
    Category.HARASSMENT,
    Category.VIOLENT_EXTREMISM,
    Category.GRAPHIC_VIOLENCE,
    Category.SELF_HARM,
    Category.SEXUAL_CONTENT,
    Category.FRAUD_SPAM,
)
NOTHING: Mapping[Category, int] = dict.fromkeys(COVERED, 0)


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what is known of it; a category not in `labels` is unknown, not 0.

    Examples of one `family` (a template's fillings, a message and its transcript-like
    copy) always stay in one fold. `weight` is what it counts beside a plain label's 1.
    `slice` is the set's own name for what the text tests, where it has one.
    """

    text: str
    labels: Mapping[Category, int]
    source: str
    family: str
    weight: float = 1.0
    slice: str = ""


def label_matrix(examples: Sequence[Example]) -> NDArray[np.float32]:
    """Return labels as float32, shape (n, len(COVERED)); NaN where unknown."""
    rows = [[e.labels.get(c, np.nan) for c in COVERED] for e in examples]
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(COVERED))


def weights_of(examples: Sequence[Example]) -> NDArray[np.float32]:
    """Return weights as float32, shape (n,)."""
    return np.array([e.weight for e in examples], dtype=np.float32)
