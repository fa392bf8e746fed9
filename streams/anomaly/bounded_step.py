"""How far one value may move a baseline."""

import math
from dataclasses import dataclass, field

from streams.anomaly.base import Detector, State
from streams.anomaly.state import take_state

VERSION = 1
LARGEST = 1e150  # Its square is still a float, so no sum here overflows.


@dataclass(slots=True)
class BoundedStep:
    """Draws a value to at most `max_steps` usual deviations from the usual value.

    Huber's clipping (Robust Estimation of a Location Parameter, 1964) against running
    estimates that themselves learn only clipped values. One lesson moves the centre by
    at most `rate * max_steps` deviations and widens the deviation by at most the factor
    1 + rate * (max_steps - 1), so n lessons of a flood move the centre by at most
    ((1 + rate * (max_steps - 1))**n - 1) * max_steps / (max_steps - 1) deviations; a
    true step of the level is followed all the same, only slower. The first
    `grace_period` values pass as they are and set centre and deviation.
    """

    max_steps: float = 3.0  # Mean absolute deviations: 2.4 sigma of a normal value.
    rate: float = 0.02  # A memory of 50 values.
    grace_period: int = 20  # Values; fewer give no usable deviation.
    centre: float = 0.0
    deviation: float = 0.0  # Mean absolute one.
    seen: int = 0

    def clip(self, value: float) -> float:
        """Return the value, drawn near; changes nothing. No number stays as it is."""
        if not math.isfinite(value):
            return value
        value = min(max(value, -LARGEST), LARGEST)
        if not self.is_ready():
            return value
        reach = self.max_steps * self.deviation
        return min(max(value, self.centre - reach), self.centre + reach)

    def is_ready(self) -> bool:
        """Tell whether the grace period is over."""
        return self.seen >= self.grace_period

    def deviations(self, value: float) -> float:
        """Return how many deviations above the centre a number is; 0 if none known."""
        near = min(max(value, -LARGEST), LARGEST)
        return (near - self.centre) / self.deviation if self.deviation else 0.0

    def learn(self, value: float) -> float:
        """Learn the drawn value and return it; what is no number teaches nothing."""
        near = self.clip(value)
        if not math.isfinite(near):
            return near
        self.seen = min(self.seen + 1, 2**53)
        rate = max(self.rate, 1.0 / self.seen)
        away = abs(near - self.centre)
        self.centre += rate * (near - self.centre)
        if self.seen > 1:
            self.deviation += max(self.rate, 1.0 / (self.seen - 1)) * (
                away - self.deviation
            )
        # A constant series must be able to leave its value: never a reach of nothing.
        self.deviation = max(self.deviation, 1e-9 * max(1.0, abs(self.centre)))
        return near

    def save(self) -> State:
        """Return the state as JSON values."""
        return {
            "version": VERSION,
            "centre": self.centre,
            "deviation": self.deviation,
            "seen": self.seen,
        }

    def load(self, state: State) -> None:
        """Continue from a saved state; raises StateError if it is not one."""
        names = ("centre", "deviation", "seen")
        found = take_state("BoundedStep", state, VERSION, names)
        self.centre, self.deviation, self.seen = (found[name] for name in names)


@dataclass(slots=True)
class Stepped:
    """A univariate detector that learns values drawn near by a `BoundedStep`."""

    detector: Detector[float]
    step: BoundedStep = field(default_factory=BoundedStep)

    def score(self, at_s: float, point: float) -> float:
        """Return the detector's score of the value as it is."""
        return self.detector.score(at_s, point)

    def learn(self, at_s: float, point: float) -> None:
        """Teach the detector the value, drawn near."""
        self.detector.learn(at_s, self.step.learn(point))

    def save(self) -> State:
        """Return the state of both as JSON values."""
        return {
            "version": VERSION,
            "detector": self.detector.save(),
            "step": self.step.save(),
        }

    def load(self, state: State) -> None:
        """Continue from a saved state; raises StateError if it is not one."""
        found = take_state("Stepped", state, VERSION, ("detector", "step"))
        self.detector.load(found["detector"])
        self.step.load(found["step"])
