"""What a row of the bench is, and how its two sides are timed."""

from collections.abc import Callable
from statistics import median
from time import perf_counter

Work = Callable[[], object]
WORDS = ("river", "night", "phone", "bread", "train", "summer", "win", "code", "door")


def texts(count: int, offset: int = 0) -> list[str]:
    """Make distinct texts of 3 to 40 words."""
    return [
        " ".join(WORDS[(n * 7 + i * 4) % len(WORDS)] for i in range(3 + n % 38))
        + f" {n}"
        for n in range(offset, offset + count)
    ]


def ratio(ours: Work, theirs: Work, rounds: int) -> float:
    """Return their time over ours, the median of alternating rounds."""
    found = []
    for _ in range(rounds):
        ours_s, theirs_s = timed(ours), timed(theirs)
        found.append(theirs_s / ours_s)
    return round(median(found), 2)


def timed(work: Work) -> float:
    """Return how long `work` takes, in seconds."""
    started_s = perf_counter()
    work()
    return perf_counter() - started_s


def row(name: str, value: float, against: str, target: float) -> dict[str, object]:
    """Return a row of the table."""
    return {
        "name": name,
        "value": value,
        "against": against,
        "target": target,
        "met": value >= target,
    }
