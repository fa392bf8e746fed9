"""A rule's hit rate against its own past: a jump is told at once, seldom for nothing.

A sequential test, which may look after every upload (e-detector: Shin, Ramdas and
Rinaldo 2024, "E-detectors", New England Journal of Statistics in Data Science 2(2)).
The null is that each upload hits with a chance of at most `TOLERATED` times the bound
on the rule's rate in the days before. For each of a few jumps it keeps the likelihood
ratio of "that much more" since the most suspicious moment; their mean is an e-detector,
so it reaches `1 / alpha` by chance once in `1 / alpha` uploads at the most often.
"""

from dataclasses import dataclass, replace
from math import exp, log, sqrt
from typing import Final

# Ours. A rule may double its share (a new meme, an election) before it is a fault.
TOLERATED: Final = 2.0
# Looked for beyond what is tolerated; a mean over several loses log(3) and no more.
JUMPS: Final = (2.0, 5.0, 20.0)
# Days in the past that the rate is told by; the current one is not its own baseline.
DAYS: Final = 7
LEAST_UPLOADS: Final = 500  # Below, a rate is anybody's guess.
# At most one false alarm in a million uploads, and that only for a rule that hits twice
# as often as its past can explain, all the time.
ALPHA: Final = 1e-6
Z_95: Final = 1.6449  # One-sided.
_MOST_RATE: Final = 0.95  # No jump ends in certainty: one miss would forbid it.
_MOST_LOG: Final = 60.0  # Far beyond any threshold; keeps exp() and sums finite.


@dataclass(frozen=True, slots=True)
class DayCount:
    """Uploads that a rule was asked about on one day, and how many it hit."""

    day: int  # Days since 1970, of event times.
    uploads: int
    hits: int


@dataclass(frozen=True, slots=True)
class HitRate:
    """What is remembered of one rule's hits; bounded: eight days, three numbers."""

    days: tuple[DayCount, ...] = ()  # Oldest first, the current one last.
    evidence: tuple[float, ...] = (0.0,) * len(JUMPS)  # Log likelihood ratios, >= 0.

    def hit(self, day: int) -> "HitRate":
        """Return the state after an upload that the rule hit.

        Args:
            day: days since 1970; a late upload counts as of the last day known.
        """
        return self._after(day, 1, hit=True)

    def missed(self, day: int, uploads: int) -> "HitRate":
        """Return the state after so many uploads in a row that it did not hit."""
        return self._after(day, uploads, hit=False) if uploads else self

    def _after(self, day: int, uploads: int, *, hit: bool) -> "HitRate":
        days = _counted(self.days, day, uploads, hit)
        state = replace(self, days=days)
        if state.bound is None:
            return state
        steps = [_step(state.bound, jump, hit) for jump in JUMPS]
        # Each upload adds its step to what is left above 0, so a row of misses, which
        # step down, ends at their sum or at one step below 0.
        evidence = tuple(
            min(max(max(known, 0.0) + uploads * step, min(step, 0.0)), _MOST_LOG)
            for known, step in zip(self.evidence, steps, strict=True)
        )
        return replace(state, evidence=evidence)

    @property
    def bound(self) -> float | None:
        """The highest chance of a hit that is no jump; None where too little is known.

        `TOLERATED` times the upper 95 % bound on the past days' rate.
        """
        past = self.days[:-1]
        uploads = sum(count.uploads for count in past)
        if uploads < LEAST_UPLOADS:
            return None
        upper = poisson_upper(sum(count.hits for count in past)) / uploads
        return min(TOLERATED * upper, _MOST_RATE)

    @property
    def e_value(self) -> float:
        """How much better a jump explains the hits; 1 or less is no evidence."""
        return sum(exp(value) for value in self.evidence) / len(JUMPS)

    def has_jumped(self, alpha: float = ALPHA) -> bool:
        """Say whether the rate is above its bound, wrong once in 1 / alpha uploads."""
        return self.e_value >= 1 / alpha

    def accepted(self) -> "HitRate":
        """Return the state after a person looked: the evidence is void."""
        return replace(self, evidence=(0.0,) * len(JUMPS))


def poisson_upper(events: int) -> float:
    """Return the upper 95 % bound on a Poisson mean of which so many were seen.

    Wilson and Hilferty's cube approximates Garwood's exact bound within 0.1 from one
    event on (Breslow and Day 1987, volume II, table 2.11); 3.0 for none is the rule of
    three.
    """
    seen = events + 1
    cube = 1 - 1 / (9 * seen) + Z_95 / (3 * sqrt(seen))
    return seen * cube**3


def _step(bound: float, jump: float, hit: bool) -> float:
    """Return the log likelihood ratio of one upload: the jumped rate to the bound."""
    jumped = min(jump * bound, (1 + bound) / 2)
    return log(jumped / bound) if hit else log((1 - jumped) / (1 - bound))


def _counted(
    days: tuple[DayCount, ...], day: int, uploads: int, hit: bool
) -> tuple[DayCount, ...]:
    hits = uploads if hit else 0
    if days and day <= days[-1].day:
        last = days[-1]
        counted = DayCount(last.day, last.uploads + uploads, last.hits + hits)
        return (*days[:-1], counted)
    return (*days, DayCount(day, uploads, hits))[-DAYS - 1 :]
