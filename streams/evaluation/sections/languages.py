"""Texts in languages the head does not read: is that said, or is a number given?"""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from encoders.language import language_of
from streams.evaluation import measures
from streams.evaluation.figures import Figure, NotMeasuredError, Section
from streams.evaluation.scored_rows import Inputs

_SETS = ("spanish", "german", "french")


def languages(inputs: Inputs) -> Section:
    """Measure how many texts in other languages get a missing-signal and no number.

    Raises:
        NotMeasuredError: Multilingual HateCheck is not there.
    """
    folder = inputs.data / "multilingual_hatecheck"
    if not folder.is_dir():
        raise NotMeasuredError(f"{folder.name} is not among the data")
    about = (
        "Multilingual HateCheck; the shipped head reads English alone. A text that is "
        "surely in another language gets no probability and the decision lists "
        "`language` as missing; the rest is scored as if it were English."
    )
    return Section("languages", "", about, [_figure(folder, name) for name in _SETS])


def _figure(folder: Path, name: str) -> Figure:
    stated = [
        language_of(text) not in (None, "en") for text in _texts(folder / f"{name}.csv")
    ]
    return Figure(
        f"{name.title()}: language stated as missing",
        measures.share(np.array(stated)),
        len(stated),
        key=f"languages.{name}",
    )


def _texts(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from (row["test_case"] for row in csv.DictReader(lines))
