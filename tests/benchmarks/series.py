"""Rows of the bench about the series detector: points a second, memory, NAB."""

import math
import random
import tracemalloc
from pathlib import Path
from time import process_time

from streams.anomaly.univariate import UnivariateDetector
from tests.benchmarks.table import Aim, Row

POINTS = Aim("series points scored and learned a second", "20,000, one core", 1.0)
MEMORY = Aim(
    "memory of a series detector, after many times the points",
    "the same",
    1.05,
    at_most=True,
)
NAB = Aim("NAB, standard profile", "70.5, Numenta HTM on all 58 series", 1.0)
PER_S = 20_000
HTM = 70.5
FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "nab"


def rows(quick: bool) -> list[Row]:
    """Measure by this process's own CPU time, so that a busy machine is no matter."""
    return [_speed(10_000 if quick else 100_000), _memory(quick), _nab(quick)]


def a_series(points: int) -> list[tuple[float, float]]:
    """Return a daily wave with noise, every five minutes."""
    rng = random.Random(1)
    return [
        (n * 300.0, 100 + 50 * math.sin(n / 46) + rng.gauss(0, 5))
        for n in range(points)
    ]


def _pass(series: list[tuple[float, float]]) -> UnivariateDetector:
    detector = UnivariateDetector()
    for at_s, value in series:
        detector.score(at_s, value)
        detector.learn(at_s, value)
    return detector


def _speed(points: int) -> Row:
    series = a_series(points)
    started_s = process_time()
    _pass(series)
    per_s = points / (process_time() - started_s)
    return POINTS.row(per_s / PER_S, f"{per_s:.0f} points a second", "Python")


def _memory(quick: bool) -> Row:
    few = 5_000
    sizes = []
    for points in (few, 4 * few if quick else 10 * few):
        series = a_series(points)
        tracemalloc.start()
        detector = _pass(series)
        sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        del detector
    note = f"{sizes[0] / 1e6:.1f} and {sizes[1] / 1e6:.1f} MB"
    return MEMORY.row(sizes[1] / sizes[0], note)


def _nab(quick: bool) -> Row:
    if quick or not FOLDER.is_dir():
        return NAB.unmeasured("quick" if quick else "shared data `nab` is not there")
    from streams.nab.corpus import read_corpus
    from streams.nab.running import detect, evaluate

    corpus = list(read_corpus(FOLDER))
    standard = evaluate(corpus, [detect(series) for series in corpus])["standard"]
    note = (
        f"{standard.score:.1f} [{standard.low:.1f}, {standard.high:.1f}] on the "
        f"{len(corpus)} series that the settings were chosen on"
    )
    return NAB.row(standard.score / HTM, note)
