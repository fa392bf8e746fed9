"""How a head does on sets it never saw: tweets, judged by one trained without them.

Beside it the linear profanity classifier of the shared data, on the same rows. That one
was trained on all of the Davidson tweets, so its figure there is not clean.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.records import Category
from streams.training import metrics
from streams.training.calibrate import sigmoid
from streams.training.examples import COVERED, label_matrix
from streams.training.head import FloatArray
from streams.training.lessons import Rows

NEVER_SEEN: Final = ("davidson", "mlma")
_LINEAR: Final = "weights/profanity_check_linear"
_TOKEN: Final = re.compile(r"\b\w\w+\b")


def transfer_report(rows: Rows, logits: FloatArray, data: Path, seed: int) -> str:
    """Return the figures as Markdown; `logits` are of the sets' rows, in order."""
    return "\n" + "\n".join(_lines(rows, logits, data, seed))


def _lines(rows: Rows, logits: FloatArray, data: Path, seed: int) -> Iterator[str]:
    sources = np.array([e.source for e in rows.examples])
    places = np.flatnonzero(np.isin(sources, NEVER_SEEN))
    examples = [rows.examples[at] for at in places.tolist()]
    labels = label_matrix(examples)[:, COVERED.index(Category.HATE)]
    scores: dict[str, metrics.Array] = {"ours": logits[:, COVERED.index(Category.HATE)]}
    if (data / _LINEAR).exists():
        scores["the linear classifier"] = profanity([e.text for e in examples], data)
    yield ""
    yield "Hate or not on sets that took no part in a training, average precision:"
    yield ""
    for source in NEVER_SEEN:
        known = (sources[places] == source) & ~np.isnan(labels)
        if not 0 < labels[known].sum() < known.sum():
            continue
        figures = "; ".join(
            f"{name} {_figure(labels, values, known, rows.groups[places], seed)}"
            for name, values in scores.items()
        )
        count = f"{int(labels[known].sum())} of {int(known.sum())}"
        yield f"- {source} ({count} hateful): {figures}."


def _figure(
    labels: FloatArray,
    scores: metrics.Array,
    known: NDArray[np.bool_],
    groups: NDArray[np.int64],
    seed: int,
) -> metrics.Figure:
    return metrics.with_interval(
        metrics.average_precision, labels[known], scores[known], groups[known], seed
    )


def profanity(texts: Sequence[str], data: Path) -> NDArray[np.float64]:
    """Return the linear classifier's probabilities, float64, shape (n,).

    As its README in the shared data says: the mean over five folds of a Platt-scaled
    linear score of word counts.
    """
    folder = data / _LINEAR
    words = (folder / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    column = {word: at for at, word in enumerate(words)}
    with np.load(folder / "profanity_check_linear.npz", allow_pickle=False) as stored:
        weights = {name: stored[name] for name in stored.files}
    linear = np.zeros((len(texts), len(weights["intercept"])))
    for row, text in zip(linear, texts, strict=True):
        known = [column[w] for w in _TOKEN.findall(text.lower()) if w in column]
        row += weights["coef"][:, known].sum(axis=1)
    scaled = weights["platt_a"] * (linear + weights["intercept"]) + weights["platt_b"]
    mean: NDArray[np.float64] = sigmoid(-scaled).mean(axis=1)
    return mean
