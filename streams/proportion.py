"""A proportion of decisions and how sure it is."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any, Final

CONFIDENCE: Final = 0.95
_Z: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True, slots=True)
class Proportion:
    """`hits` of `of` decisions, 0 <= hits <= of."""

    hits: int
    of: int

    @property
    def share(self) -> float | None:
        """The share in [0, 1]; None of none."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval (1927), in [0, 1]; all of it where nothing was seen.

        It holds near 0 and 1, where most shares of flips lie. It takes decisions as
        independent; those of one uploader are less so. SciPy has it too, and takes
        half a second to import: more than all else that a report costs.
        """
        if not self.of:
            return 0.0, 1.0
        square = _Z * _Z
        middle = self.hits + square / 2
        spread = _Z * sqrt(self.hits * (self.of - self.hits) / self.of + square / 4)
        # Of none and of all the formula is off 0 and 1 by its rounding only.
        low = (middle - spread) / (self.of + square) if self.hits else 0.0
        high = (middle + spread) / (self.of + square) if self.hits < self.of else 1.0
        return low, high

    def to_json(self) -> dict[str, Any]:
        """Write it with its interval."""
        low, high = self.interval
        return {
            "decisions": self.hits,
            "of": self.of,
            "share": self.share,
            "low": low,
            "high": high,
        }
