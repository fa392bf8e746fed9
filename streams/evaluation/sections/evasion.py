"""Is harm that is found as it is still found when it is written in disguise?"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from streams.evaluation import measures
from streams.evaluation.disguises import DISGUISES
from streams.evaluation.figures import (
    Against,
    Bar,
    BarChart,
    Figure,
    Section,
    Target,
)
from streams.evaluation.linear_baseline import NAME, THRESHOLD
from streams.evaluation.scored_rows import Inputs
from streams.evaluation.wanted import disguised, harmful

_TARGET = Target(0.90)


def evasion(inputs: Inputs) -> Section:
    """Measure the share of found texts that stays found, at the same threshold."""
    rows = np.array(harmful(inputs.examples))
    found = inputs.flagged(inputs.probabilities[rows])
    theirs = inputs.baseline[rows] >= THRESHOLD
    copies: dict[str, list[str]] = {name: [] for name in DISGUISES}
    for copy in disguised(inputs.examples):
        copies[copy.disguise].append(copy.text)
    groups = inputs.groups[rows]
    figures = list(_figures(inputs, copies, found, theirs, groups))
    clean = Figure(
        "found as they are",
        measures.share(found, groups),
        len(rows),
        against=(Against(NAME, float(theirs.mean())),),
        key="evasion.clean",
    )
    bars = [
        Bar(
            figure.name,
            figure.estimate.value or 0.0,
            figure.estimate.low,
            figure.estimate.high,
            figure.against[0].value,
        )
        for figure in figures
    ]
    chart = BarChart("Recall kept in disguise", bars, _TARGET.value, NAME)
    about = (
        f"{len(rows)} harmful English texts, up to "
        "600 characters, each written anew in every disguise and judged by the head "
        "that never saw the original, after normalising as the worker does. The share "
        "is of those found as they are, at the policy's thresholds for review."
    )
    return Section("evasion", "", about, (clean, *figures), (chart,))


def _figures(
    inputs: Inputs,
    copies: dict[str, list[str]],
    found: NDArray[np.bool_],
    theirs: NDArray[np.bool_],
    groups: NDArray[np.int64],
) -> Iterator[Figure]:
    for name, texts in copies.items():
        still = inputs.flagged(inputs.scores.of(texts))[found]
        side = (inputs.linear(texts) >= THRESHOLD)[theirs]
        yield Figure(
            name,
            measures.share(still, groups[found]),
            int(found.sum()),
            target=_TARGET,
            against=(Against(NAME, float(side.mean()) if len(side) else 0.0),),
            key=f"evasion.{name.replace(' ', '_')}",
        )
