"""A share of decisions with its interval."""

from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959964  # Of the normal distribution, two-sided 95 %.


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `total`, with Wilson's 95 % interval; `total` is over 0.

    Wilson's holds near 0 and 1, where most shares of flips lie (Wilson, JASA 1927). It
    takes decisions for independent, which an uploader's own are not quite.
    """

    count: int
    total: int

    @property
    def value(self) -> float:
        """The share itself, in [0, 1]."""
        return self.count / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """Its lower and upper bound, in [0, 1]."""
        n, p, zz = self.total, self.value, Z_95 * Z_95
        middle = (p + zz / (2 * n)) / (1 + zz / n)
        half = Z_95 / (1 + zz / n) * sqrt(p * (1 - p) / n + zz / (4 * n * n))
        low = 0.0 if self.count == 0 else max(0.0, middle - half)
        high = 1.0 if self.count == n else min(1.0, middle + half)
        return low, high
