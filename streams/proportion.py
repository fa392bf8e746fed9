"""A proportion of decisions and how sure it is."""

from dataclasses import dataclass
from typing import Any

CONFIDENCE = 0.95


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
        independent; those of one uploader are less so.
        """
        if not self.of:
            return 0.0, 1.0
        from scipy.stats import binomtest  # A second to import.

        found = binomtest(self.hits, self.of).proportion_ci(CONFIDENCE, "wilson")
        return float(found.low), float(found.high)

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
