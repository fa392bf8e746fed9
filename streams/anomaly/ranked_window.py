"""The last values of a series in order of size: ranks and neighbours at once."""

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable

# Ours: a value ten times the largest known counts half a decade rarer than a record,
# and no more than a decade and a half: how far out a record lies says something, but
# an outlier of a million must not drown what other views say.
DECADES_PER_DECADE = 0.5
MOST_DECADES = 3.0


class RankedWindow:
    """The last `window_size` values, sorted; O(log n) to look up, n ≤ window_size."""

    __slots__ = ("_arrived", "_ranked", "_window_size")

    def __init__(self, window_size: int, values: Iterable[float] = ()) -> None:
        """Begin with the values, oldest first; the last `window_size` stay."""
        self._window_size = window_size
        self._arrived = deque(values, maxlen=window_size)
        self._ranked = sorted(self._arrived)

    def surprise(self, value: float) -> float:
        """Return -log10 of the conformal p-value of a value ≥ 0 that is high.

        The share of known values that are as high, counting itself (Vovk, Gammerman
        and Shafer, Algorithmic Learning in a Random World, 2005); past the largest
        known value it grows with the ratio to that. 0 while nothing is known.
        """
        ranked = self._ranked
        known = len(ranked)
        if not known:
            return 0.0
        as_high = known - bisect_left(ranked, value)
        decades = math.log10((known + 1) / (as_high + 1))
        if not as_high and ranked[-1] > 0.0:
            over = math.log10(value / ranked[-1])
            decades += DECADES_PER_DECADE * min(over, MOST_DECADES)
        return decades

    def novelty(self, value: float, neighbours: int) -> float:
        """Return the distance to the `neighbours`-th nearest known value; 0 if none."""
        ranked = self._ranked
        at = bisect_left(ranked, value)
        near = ranked[max(0, at - neighbours) : at + neighbours]
        if not near:
            return 0.0
        distances = sorted([abs(known - value) for known in near])
        return distances[min(neighbours, len(distances)) - 1]

    def add(self, value: float) -> None:
        """Take in a value that is a number; the oldest goes when full."""
        arrived, ranked = self._arrived, self._ranked
        if len(arrived) == self._window_size:
            del ranked[bisect_left(ranked, arrived[0])]
        arrived.append(value)
        insort(ranked, value)

    def values(self) -> list[float]:
        """Return the values, oldest first."""
        return list(self._arrived)
