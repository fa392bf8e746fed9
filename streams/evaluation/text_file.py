"""How good the scores are on somebody's own labelled texts, slice by slice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.records import Category
from streams.errors import StartError
from streams.evaluation import measures
from streams.evaluation.figures import Against, Estimate, Figure
from streams.evaluation.labelled_file import LabelWords, Row, with_column
from streams.evaluation.linear_baseline import NAME
from streams.evaluation.out_of_fold import OutOfFoldScores, key_of
from streams.training.calibrate import BASE_RATE
from streams.training.clusters import clusters
from streams.training.datasets import clean
from streams.training.examples import Example

# Texts to probabilities by category, float64, shape (n, categories); NaN where the
# pipeline gives none (a language it doesn't read, an empty text).
ScoreTexts = Callable[[Sequence[str]], NDArray[np.float64]]
Baseline = Callable[[Sequence[str]], NDArray[np.float64]]

ANY: Final = "any"  # A label on no category in particular.
ALL: Final = "all"  # The slice of every row.
MOST_SLICES: Final = 50  # A column of more values is no slice.
BATCH: Final = 256  # Texts scored between two words on progress.
RATES: Final[Mapping[float, str]] = {0.01: "1 %", 0.001: "0.1 %"}


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """A column, and what it labels: a category's name, or `any`."""

    subject: str
    column: str


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """A file's rows; `labels` has shape (n, columns), NaN where unknown."""

    texts: Sequence[str]
    labels: NDArray[np.float64]
    slices: Mapping[str, Sequence[str]]  # By column: each row's value.

    def without(self, trained_on: NDArray[np.bool_]) -> "LabelledTexts":
        """Leave rows out."""
        kept = np.flatnonzero(~trained_on).tolist()
        return LabelledTexts(
            [self.texts[i] for i in kept],
            self.labels[~trained_on],
            {name: [values[i] for i in kept] for name, values in self.slices.items()},
        )


def trained_on(texts: Sequence[str], training: OutOfFoldScores) -> NDArray[np.bool_]:
    """Return which texts are among those of training, as written or cleaned."""
    known = training.index()

    def is_known(text: str) -> bool:
        forms = {text, text.strip(), " ".join(text.split()), clean(text)}
        return any(key_of(form) in known for form in forms)

    return np.array([is_known(text) for text in texts], dtype=np.bool_)


def gather(
    rows: Iterator[Row],
    text_column: str,
    columns: Sequence[LabelColumn],
    slices: Sequence[str],
    words: LabelWords,
) -> LabelledTexts:
    """Read texts, labels and slices of every row.

    Raises:
        StartError: a row lacks a column or has a value of another kind.
    """
    for column in columns:
        rows = with_column(rows, column.column)
    texts, labels = [], []
    values: dict[str, list[str]] = {name: [] for name in slices}
    for row in rows:
        texts.append(row.text(text_column))
        labels.append([words.label(row, column.column) for column in columns])
        for name in slices:
            values[name].append(str(row.need(name)))
    table = np.array(labels, dtype=np.float64).reshape(len(texts), len(columns))
    return LabelledTexts(texts, table, values)


def scored(
    texts: Sequence[str], score: ScoreTexts, told: Callable[[int], None]
) -> NDArray[np.float64]:
    """Score in batches; `told` hears how many more are done."""
    parts = []
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        parts.append(score(batch))
        told(len(batch))
    return np.concatenate(parts)


def figures(
    data: LabelledTexts,
    columns: Sequence[LabelColumn],
    probabilities: NDArray[np.float64],
    categories: Sequence[Category],
    baseline: Baseline | None = None,
) -> list[Figure]:
    """Return every measure of every label, on all rows and on each slice.

    Raises:
        StartError: a column has too many values for slices.
    """
    examples = [Example(text, {}, "file", text) for text in data.texts]
    groups = clusters(examples)
    theirs = None if baseline is None else baseline(data.texts)
    parts = list(_parts(data))
    found: list[Figure] = []
    for index, column in enumerate(columns):
        ours = _scores(column.subject, probabilities, categories)
        for name, rows in parts:
            kept = rows & ~np.isnan(ours)
            labels = data.labels[kept, index]
            known = measures.known(labels, ours[kept], groups[kept])
            beside = None
            if theirs is not None:
                other = measures.known(labels, theirs[kept], groups[kept])
                beside = measures.average_precision(other).value
            subject = column.subject if name == ALL else f"{column.subject}, {name}"
            found += _measured(subject, known, beside)
    return found


def _parts(data: LabelledTexts) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    yield ALL, np.ones(len(data.texts), dtype=np.bool_)
    for column, values in data.slices.items():
        table = np.array(values)
        if (count := len(set(values))) > MOST_SLICES:
            raise StartError(
                f"--slice {column} has {count} values; at most {MOST_SLICES} are "
                "measured: name a column with fewer"
            )
        for value in sorted(set(values)):
            yield f"{column}={value}", table == value


def _scores(
    subject: str,
    probabilities: NDArray[np.float64],
    categories: Sequence[Category],
) -> NDArray[np.float64]:
    if subject != ANY:
        return probabilities[:, categories.index(Category(subject.upper()))]
    # A row without any probability stays NaN; numpy would warn of it.
    filled = np.where(np.isnan(probabilities), -1.0, probabilities).max(axis=1)
    highest: NDArray[np.float64] = np.where(filled < 0, np.nan, filled)
    return highest


def _measured(
    subject: str, rows: measures.Known, beside: float | None
) -> Iterator[Figure]:
    against = () if beside is None else (Against(NAME, beside, "same rows"),)
    size = (len(rows.labels), rows.positives)

    def figure(name: str, found: Estimate, against: Sequence[Against] = ()) -> Figure:
        return Figure(name, found, *size, against=against, subject=subject)

    yield figure("AP", measures.average_precision(rows), against)
    yield figure("AUC", measures.auc(rows))
    for rate, name in RATES.items():
        yield figure(f"precision at FPR {name}", measures.precision_at(rows, rate))
        yield figure(f"recall at FPR {name}", measures.recall_at(rows, rate))
    yield figure("ECE", measures.calibration_error(rows))
    at_base_rate = measures.calibration_error(rows, BASE_RATE)
    yield figure(f"ECE at {BASE_RATE:.0%}", at_base_rate)
