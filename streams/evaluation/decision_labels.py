"""Scores and labels for `headgate tune`: from rows, or decisions joined with labels.

A decision is a line of `headgate assess`, or of `headgate tail risk.decision.v1`, raw
or decoded. The last final word on each content counts.
"""

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.records import Category
from streams.errors import StartError
from streams.evaluation.labelled_file import LabelWords, Row, read_rows, with_column

Decode = Callable[[bytes], Mapping[str, Any]]  # A record's value to its JSON form.


@dataclass(frozen=True, slots=True)
class Scored:
    """What is tuned on: float64, shape (n,); labels are 1, 0 or NaN for unknown."""

    scores: NDArray[np.float64]
    labels: NDArray[np.float64]
    unscored: int = 0  # Decisions that say nothing on the category; left out.
    unmatched: int = 0  # Labels whose content no decision is about.


def from_rows(
    path: Path, score_column: str, label_column: str, words: LabelWords
) -> Scored:
    """Read rows of a score and a label.

    Raises:
        StartError: the file, or a line of it, can't be used.
    """
    pairs = [
        (row.number(score_column), words.label(row, label_column))
        for row in with_column(read_rows(path), label_column)
    ]
    table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return Scored(table[:, 0], table[:, 1])


def from_decisions(
    path: Path,
    category: Category,
    labels: Mapping[str, float],
    decode: Decode,
) -> Scored:
    """Read decisions; `labels` is by content_id, what it lacks is unknown.

    Raises:
        StartError: the file, or a line of it, can't be used.
    """
    last: dict[str, float | None] = {}
    for row in read_rows(path):
        decision = _decision(row, decode)
        if decision is not None and not decision.get("provisional"):
            last[_content(decision, row)] = _probability(decision, category, row)
    known = {content: p for content, p in last.items() if p is not None}
    found = [labels.get(content, math.nan) for content in known]
    return Scored(
        np.array(list(known.values()), dtype=np.float64),
        np.array(found, dtype=np.float64),
        unscored=len(last) - len(known),
        unmatched=sum(content not in last for content in labels),
    )


def read_labels(
    path: Path, id_column: str, label_column: str, words: LabelWords
) -> dict[str, float]:
    """Return labels by content_id.

    Raises:
        StartError: a line can't be used, or two lines contradict each other.
    """
    labels: dict[str, float] = {}
    for row in with_column(read_rows(path), label_column):
        content = str(row.need(id_column))
        label = words.label(row, label_column)
        earlier = labels.get(content, math.nan)
        if not math.isnan(earlier) and not math.isnan(label) and earlier != label:
            raise StartError(
                f"{row.where}: {content!r} has the label {label:g}, and {earlier:g} "
                "before: keep one"
            )
        labels[content] = earlier if math.isnan(label) else label
    return labels


def is_decisions(path: Path) -> bool:
    """Whether the first row of a file is a decision."""
    first = next(read_rows(path), None)
    return first is not None and (
        "value_base64" in first.values or "categories" in _value(first)
    )


def _decision(row: Row, decode: Decode) -> Mapping[str, Any] | None:
    """Return a line's decision; None for a dead letter or a tombstone."""
    if "value_base64" not in row.values:
        found = _value(row)
        return found if "categories" in found else None
    if (encoded := row.values["value_base64"]) is None:
        return None
    try:
        return decode(base64.b64decode(str(encoded), validate=True))
    except binascii.Error as error:
        raise StartError(f"{row.where}: value_base64 is not base64") from error


def _value(row: Row) -> Mapping[str, Any]:
    value = row.values.get("value", row.values)
    return value if isinstance(value, Mapping) else {}


def _content(decision: Mapping[str, Any], row: Row) -> str:
    content = decision.get("content_id")
    if not isinstance(content, str):
        raise StartError(f"{row.where}: a decision without content_id")
    return content


def _probability(
    decision: Mapping[str, Any], category: Category, row: Row
) -> float | None:
    categories = decision["categories"]
    score = categories.get(category.lower()) if isinstance(categories, Mapping) else {}
    if not isinstance(score, Mapping) or score.get("probability") is None:
        return None
    return Row(score, row.where).number("probability")
