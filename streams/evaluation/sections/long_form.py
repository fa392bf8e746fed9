"""Does a clean episode look riskier the longer it is?"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.evaluation import measures
from streams.evaluation.figures import (
    Estimate,
    Figure,
    LineChart,
    NotMeasuredError,
    Section,
    Series,
    Target,
)
from streams.evaluation.scored_rows import Inputs
from streams.evaluation.wanted import SEED, SEGMENT_S, clean_segments

MINUTES: Final = (1, 5, 15, 30, 60, 120, 180)
_TICKS: Final = (1, 5, 15, 60, 180)  # More would touch each other.
EPISODES: Final = 400  # Of each length.
BOOTSTRAPS: Final = 100  # Of the segments; each draws its episodes anew …
BOOTSTRAP_EPISODES: Final = 200  # … fewer, which widens the interval a little.
# The issue says "flat"; a hundredth more at three hours is taken as that.
_FLAT: Final = Target(0.01, "at most")


def long_form(inputs: Inputs) -> Section:
    """Measure how often clean episodes of each length are held for review.

    Raises:
        NotMeasuredError: there is not enough clean material.
    """
    segments = clean_segments(inputs.examples, inputs.folds)
    longest = int(MINUTES[-1] * 60 / SEGMENT_S)
    if len(segments) < longest:
        raise NotMeasuredError(
            f"{len(segments)} clean segments; three hours need {longest}: add the "
            "shared text messages"
        )
    risks = inputs.scores.of([segment.text for segment in segments])
    rates = _rates(inputs, risks, np.random.default_rng(SEED), EPISODES)
    draws = _bootstrap(inputs, risks)
    figures = [
        Figure(
            f"false-positive rate, {_length(minutes)}",
            _estimate(rate, draws[:, column]),
            EPISODES,
            key=f"long_form.fpr_{minutes}min",
        )
        for column, (minutes, rate) in enumerate(zip(MINUTES, rates, strict=True))
    ]
    rise = Figure(
        "rise from 1 minute to 3 hours",
        _estimate(rates[-1] - rates[0], draws[:, -1] - draws[:, 0]),
        EPISODES,
        target=_FLAT,
        key="long_form.rise",
    )
    return Section(
        "long_form",
        "",
        _about(len(segments), inputs, risks),
        (rise, *figures),
        (_chart(rates),),
    )


def _rates(
    inputs: Inputs,
    risks: NDArray[np.float64],
    rng: np.random.Generator,
    episodes: int,
) -> NDArray[np.float64]:
    """Return the share of episodes held, for each length, shape (len(MINUTES),).

    An episode's shorter forms are its beginnings.
    """
    sizes = [int(minutes * 60 / SEGMENT_S) for minutes in MINUTES]
    orders = [rng.permutation(len(risks)) for _ in range(episodes)]
    shares = []
    for size in sizes:
        pooled = np.stack([inputs.pool(risks[order[:size]]) for order in orders])
        shares.append(float(inputs.flagged(pooled).mean()))
    return np.array(shares)


def _bootstrap(inputs: Inputs, risks: NDArray[np.float64]) -> NDArray[np.float64]:
    rng = np.random.default_rng(SEED + 1)
    return np.stack(
        [
            _rates(
                inputs,
                risks[rng.integers(0, len(risks), len(risks))],
                rng,
                BOOTSTRAP_EPISODES,
            )
            for _ in range(BOOTSTRAPS)
        ]
    )


def _estimate(value: float, draws: NDArray[np.float64]) -> Estimate:
    low, high = np.quantile(draws, [0.025, 0.975])
    return Estimate(float(value), min(float(low), value), max(float(high), value))


def _length(minutes: int) -> str:
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"


def _about(count: int, inputs: Inputs, risks: NDArray[np.float64]) -> str:
    alone = measures.share(inputs.flagged(risks)).value or 0.0
    return (
        f"{EPISODES} episodes of each length, drawn from {count} half-minutes glued of "
        "harmless text messages and the team's own texts of ordinary uploads (no long "
        "clean speech is among the shared data), each scored by a head that never saw "
        f"it; {alone:.1%} of them are held alone. Episodes share segments, so the "
        "interval resamples those."
    )


def _chart(rates: NDArray[np.float64]) -> LineChart:
    xs = np.log(np.array(MINUTES) / MINUTES[0]) / np.log(MINUTES[-1] / MINUTES[0])
    ticks = [
        (float(x), _length(minutes))
        for x, minutes in zip(xs, MINUTES, strict=True)
        if minutes in _TICKS
    ]
    return LineChart(
        "Clean episodes held for review",
        "length",
        "share held",
        (Series("Headgate", xs.tolist(), rates.tolist()),),
        x_ticks=ticks,
    )
