"""A detector for one series of numbers with their times.

Five views of each value, each with the rank of its oddness among the last 4,000:

- beyond: how far outside the last week's values at that time of day;
- residual: how new the distance from the hour's usual value is;
- level: how new the short mean is;
- shift: how far the short mean is from the long one;
- drift: how far the smoothed distance from the hour's usual value is from 0.

Each rank is a conformal p-value; their geometric mean (Fisher's combination, 1925, up
to scale) goes through a gate that lets one event alarm once.
"""

import math
from collections.abc import Sequence

from streams.anomaly.alarm_gate import AlarmGate
from streams.anomaly.calendar import DayEnvelope, WeekProfile
from streams.anomaly.ranked_window import RankedWindow
from streams.anomaly.state import State, StateError, take_state

VERSION = 1
LARGEST = 1e150  # Its square is still a float, so no sum here overflows.
ROUNDING = 1e-12  # Share of a value; running means of doubles stray by less.
VIEWS = ("beyond", "residual", "level", "shift", "drift")
NOVELTIES = ("residual", "level")

# Chosen on 31 series of NAB, one set for all; `python -m tests.benchmarks.nab_tuning`
# cross-validates the views and the gate over categories.
RANKS = 4000  # Values that a rank is among: a p-value down to 1 in 4,000.
KNOWN = 2000  # Values that something new is compared with: a week at five minutes.
NEIGHBOURS = 3  # A value seen twice is still news, the third time it is not.
SHORT, LONG, SMOOTH = 0.1, 0.01, 0.15  # Rates of running means.


class Means:
    """Running means, exponentially weighted, without a bias to the first value."""

    __slots__ = ("_rates", "_sums", "_weights")

    def __init__(self, rates: Sequence[float]) -> None:
        """Begin knowing nothing; one mean for each rate."""
        self._rates = tuple(rates)
        self._sums = [0.0] * len(self._rates)
        self._weights = [0.0] * len(self._rates)

    def with_(self, which: int, value: float) -> float:
        """Return the mean as it will be with the value; changes nothing."""
        rate = self._rates[which]
        total = (1.0 - rate) * self._sums[which] + rate * value
        return total / ((1.0 - rate) * self._weights[which] + rate)

    def learn(self, which: int, value: float) -> None:
        """Take the value in."""
        rate = self._rates[which]
        self._sums[which] = (1.0 - rate) * self._sums[which] + rate * value
        self._weights[which] = (1.0 - rate) * self._weights[which] + rate

    def save(self) -> State:
        """Return the state as JSON values."""
        return {"sums": self._sums, "weights": self._weights}

    def load(self, state: State) -> None:
        """Continue from a saved state."""
        self._sums, self._weights = list(state["sums"]), list(state["weights"])


class UnivariateDetector:
    """Scores how unusual the next value of a series is.

    A score of 1 - p means that the views' geometric mean of tail probabilities is p,
    less what the gate takes off; 0 for what is usual, an echo of an alarm, or missing.
    Needs no grace period of its own: among few known values none is very odd. Works for
    any scale and unit; learns daily and weekly rhythms; follows a new level. Blind to
    what several series only show together. Memory is bounded: 24,000 numbers, 0.9 MB
    measured. No randomness: the same values give the same scores.
    """

    __slots__ = (
        "_envelope",
        "_gate",
        "_known",
        "_looked",
        "_means",
        "_profile",
        "_ranks",
    )

    def __init__(self) -> None:
        """Begin knowing nothing."""
        self._envelope = DayEnvelope()
        self._profile = WeekProfile()
        self._means = Means((SHORT, LONG, SMOOTH))
        self._known = {name: RankedWindow(KNOWN) for name in NOVELTIES}
        self._ranks = {name: RankedWindow(RANKS) for name in VIEWS}
        self._gate = AlarmGate()
        self._looked: tuple[float, float, _Look] | None = None

    def score(self, at_s: float, point: float) -> float:
        """Return how unusual the value is, in [0, 1]; changes nothing.

        0 for a value or a time that is no number.
        """
        if not (math.isfinite(at_s) and math.isfinite(point)):
            return 0.0
        decades = self._gate.passed(self._look(at_s, point).surprise)
        return 1.0 - math.pow(10.0, -decades)

    def explain(self, at_s: float, point: float) -> dict[str, float]:
        """Return the surprise of each view in decades: 2.0 is 1 in 100."""
        if not (math.isfinite(at_s) and math.isfinite(point)):
            return dict.fromkeys(VIEWS, 0.0)
        return dict(zip(VIEWS, self._look(at_s, point).surprises, strict=True))

    def learn(self, at_s: float, point: float) -> None:
        """Take the value into the baseline; what is no number teaches nothing."""
        if not (math.isfinite(at_s) and math.isfinite(point)):
            return
        look = self._look(at_s, point)
        self._looked = None
        self._gate.learn(look.surprise)
        for name, oddness in zip(VIEWS, look.oddness, strict=True):
            self._ranks[name].add(oddness)
        self._known["residual"].add(look.residual)
        self._known["level"].add(look.level)
        self._envelope.learn(at_s, look.value)
        self._profile.learn(at_s, look.value)
        self._means.learn(0, look.value)
        self._means.learn(1, look.value)
        self._means.learn(2, look.residual)

    def _look(self, at_s: float, point: float) -> "_Look":
        # Scoring and learning the same value, one after the other, look once.
        if self._looked is None or self._looked[:2] != (at_s, point):
            self._looked = at_s, point, self._looking(at_s, point)
        return self._looked[2]

    def _looking(self, at_s: float, point: float) -> "_Look":
        value = min(max(point, -LARGEST), LARGEST)
        residual = self._profile.residual(at_s, value)
        level = self._means.with_(0, value)
        oddness: tuple[float, ...] = (
            self._envelope.beyond(at_s, value),
            self._known["residual"].novelty(residual, NEIGHBOURS),
            self._known["level"].novelty(level, NEIGHBOURS),
            abs(level - self._means.with_(1, value)),
            abs(self._means.with_(2, residual)),
        )
        # What is left of rounding is no news, or a constant series would have some.
        nothing = ROUNDING * (abs(value) + abs(level))
        oddness = tuple([odd if odd > nothing else 0.0 for odd in oddness])
        ranks = self._ranks.values()
        surprises = [
            rank.surprise(odd) for rank, odd in zip(ranks, oddness, strict=True)
        ]
        return _Look(value, residual, level, oddness, surprises)

    def save(self) -> State:
        """Return the whole state as JSON values."""
        return {
            "version": VERSION,
            "envelope": self._envelope.save(),
            "profile": self._profile.save(),
            "means": self._means.save(),
            "known": {name: known.values() for name, known in self._known.items()},
            "ranks": {name: rank.values() for name, rank in self._ranks.items()},
            "gate": self._gate.save(),
        }

    def load(self, state: State) -> None:
        """Continue from a saved state, bit for bit; raises StateError if none."""
        parts = ("envelope", "profile", "means", "known", "ranks", "gate")
        found = take_state("UnivariateDetector", state, VERSION, parts)
        try:
            known = {
                name: RankedWindow(KNOWN, found["known"][name]) for name in NOVELTIES
            }
            ranks = {name: RankedWindow(RANKS, found["ranks"][name]) for name in VIEWS}
            self._envelope.load(found["envelope"])
            self._profile.load(found["profile"])
            self._means.load(found["means"])
            self._gate.load(found["gate"])
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(
                f"UnivariateDetector: {error!r} in the saved state"
            ) from error
        self._known, self._ranks, self._looked = known, ranks, None


class _Look:
    """What the views make of one value."""

    __slots__ = ("level", "oddness", "residual", "surprise", "surprises", "value")

    def __init__(
        self,
        value: float,
        residual: float,
        level: float,
        oddness: tuple[float, ...],
        surprises: list[float],
    ) -> None:
        self.value, self.residual, self.level = value, residual, level
        self.oddness, self.surprises = oddness, surprises
        self.surprise = sum(surprises) / len(surprises)  # Decades.
