"""What a head makes of languages that it was not trained on, and how often it is asked.

The head's figures are of all rows, as if there were no language gate; `told` is what
the gate keeps from it. Nothing here was trained on, but English is the card's business.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.language import language_of
from streams.training.datasets import clean
from streams.training.evaluate import THRESHOLD
from streams.training.metrics import Array, Figure, average_precision, with_interval

SEED: Final = 20_261_126
# Multilingual HateCheck, then MLMA's tweets: name, ISO 639-1, file.
_HATECHECK: Final = (
    ("es", "multilingual_hatecheck/spanish.csv"),
    ("de", "multilingual_hatecheck/german.csv"),
    ("fr", "multilingual_hatecheck/french.csv"),
)
_MLMA: Final = (("fr", "mlma/fr_dataset.csv"), ("ar", "mlma/ar_dataset.csv"))

# Texts to probabilities of hate, float64, shape (n,).
HateRisk = Callable[[Sequence[str]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Texts of one language, hateful (1) or not (0); near copies share a group."""

    name: str
    language: str
    texts: tuple[str, ...]
    labels: Array
    groups: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LanguageFigures:
    """What was measured of one set; shares with 95 % intervals over groups."""

    name: str
    rows: int
    hateful: int
    told: Figure  # Of the texts: surely not English, so they get no number.
    told_rightly: Figure  # Of the texts: this very language.
    average_precision: Figure  # Of hate, by the head, on all texts.
    accuracy: Figure  # The same, at THRESHOLD.
    not_told: int  # Texts that do get a number.
    flagged_not_told: Figure  # Of those that are not hateful: over THRESHOLD.


def sets_of(data: Path) -> Iterator[LabelledSet]:
    """Read the shared sets in other languages; `data` is the shared folder."""
    for language, path in _HATECHECK:
        rows = [
            (row["test_case"], row["label_gold"] == "hateful", row["templ_id"])
            for row in _rows(data / path)
        ]
        yield _set(f"HateCheck {language}", language, rows)
    for language, path in _MLMA:
        rows = [
            (clean(row["tweet"]), "hateful" in words, row["HITId"])
            for row in _rows(data / path)
            for words in (row["sentiment"].split("_"),)
            if words == ["normal"] or "hateful" in words
        ]
        yield _set(f"MLMA {language}", language, rows)


def measure(one: LabelledSet, hate_risk: HateRisk) -> LanguageFigures:
    """Measure the head and the language gate on one set."""
    risks = hate_risk(one.texts)
    found = [language_of(text) for text in one.texts]
    told = np.array([name not in (None, "en") for name in found])
    rightly = np.array([name == one.language for name in found])
    clean_and_scored = ~told & (one.labels == 0)

    def share(flags: NDArray[np.bool_], of: NDArray[np.bool_]) -> Figure:
        values = flags[of].astype(np.float64)
        return _share(values, one.groups[of])

    everything = np.ones(len(told), bool)
    flagged = risks >= THRESHOLD
    return LanguageFigures(
        one.name,
        len(told),
        int(one.labels.sum()),
        share(told, everything),
        share(rightly, everything),
        with_interval(average_precision, one.labels, risks, one.groups, SEED),
        share(flagged == (one.labels == 1), everything),
        int((~told).sum()),
        share(flagged, clean_and_scored),
    )


def _share(values: Array, groups: NDArray[np.int64]) -> Figure:
    """Return the mean of 0s and 1s, resampling whole groups."""
    names, group_of = np.unique(groups, return_inverse=True)
    sums = np.bincount(group_of, values, len(names))
    sizes = np.bincount(group_of, minlength=len(names))
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(0, len(names), (500, len(names)))
    low, high = np.quantile(
        sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.025, 0.975]
    )
    return Figure(float(values.mean()), float(low), float(high))


def _set(name: str, language: str, rows: list[tuple[str, bool, str]]) -> LabelledSet:
    texts, hateful, families = zip(*rows, strict=True)
    _, groups = np.unique(families, return_inverse=True)
    return LabelledSet(name, language, texts, np.array(hateful, np.float64), groups)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)
