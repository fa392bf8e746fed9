"""Curves that several sections draw, with no more points than can be seen."""

import numpy as np

from streams.evaluation.figures import Series
from streams.evaluation.measures import Known, recall_curve

MOST_POINTS = 80  # On a chart 300 px wide; it keeps the page small.


def recall_series(name: str, rows: Known, is_baseline: bool = False) -> Series:
    """Return precision over recall."""
    recalls, precisions = recall_curve(rows)
    kept = _thin(recalls)
    return Series(
        name,
        [recalls[i] for i in kept],
        [precisions[i] for i in kept],
        is_baseline,
    )


def _thin(xs: list[float]) -> list[int]:
    """Keep the first point in each step along x, and the last of all."""
    if len(xs) <= MOST_POINTS:
        return list(range(len(xs)))
    steps = np.floor(np.array(xs) * (MOST_POINTS - 1))
    firsts = np.flatnonzero(np.diff(steps, prepend=-1) > 0).tolist()
    return sorted({*firsts, len(xs) - 1})
