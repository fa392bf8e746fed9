"""One event, one alarm; and what keeps coming back is news no more."""

import math
from dataclasses import dataclass

from streams.anomaly.state import State

MOST_ALARMS = 256  # The newest; older ones than that would count little anyway.


@dataclass(frozen=True, slots=True)
class GateSettings:
    """How alarms fade; chosen on shared NAB series, as `univariate` says."""

    half_life: float = 200.0  # Points until an alarm's echo has halved.
    margin: float = 0.3  # A new alarm is this share above the echo.
    habit: float = 0.8  # Decades taken off for each decade of alarms alike.
    alike: float = 0.9  # An alarm is alike from this share of the height on.
    memory: float = 4000.0  # Points until an alarm counts half.
    floor: float = 0.8  # Decades; weaker ones are no alarms and not remembered.


class AlarmGate:
    """Lets a surprise through if it stands out from the echo of earlier ones.

    The echo is the last surprise that came through, fading point by point; what came
    through before at that height takes off `habit * log10(1 + how often)`, as an animal
    habituates to a stimulus (Marsland, Nehmzow and Shapiro, Detecting Novel Features of
    an Environment Using Habituation, 2000).
    """

    __slots__ = ("_alarms", "_echo", "_fade", "_points", "_settings")

    def __init__(self, settings: GateSettings | None = None) -> None:
        """Begin with no echo."""
        self._settings = settings or GateSettings()
        self._fade = 0.5 ** (1.0 / self._settings.half_life)
        self._echo = 0.0
        self._points = 0
        self._alarms: list[tuple[int, float]] = []  # When, in points, and how high.

    def passed(self, surprise: float) -> float:
        """Return what comes through of a surprise, in decades; 0 if it is an echo."""
        if not surprise > self._echo * self._fade * (1.0 + self._settings.margin):
            return 0.0
        if surprise <= self._settings.floor:
            return surprise
        return max(
            0.0,
            surprise - self._settings.habit * math.log10(1.0 + self._alike(surprise)),
        )

    def learn(self, surprise: float) -> None:
        """Let a point go by; remember its surprise if it came through."""
        self._echo *= self._fade
        if surprise > self._echo * (1.0 + self._settings.margin):
            self._echo = surprise
            if surprise > self._settings.floor:
                self._alarms.append((self._points, surprise))
                del self._alarms[:-MOST_ALARMS]
        self._points += 1

    def _alike(self, surprise: float) -> float:
        height, memory = self._settings.alike * surprise, self._settings.memory
        return sum(
            math.pow(0.5, (self._points - at) / memory)
            for at, high in self._alarms
            if high >= height
        )

    def save(self) -> State:
        """Return the state as JSON values."""
        alarms = [list(alarm) for alarm in self._alarms]
        return {"echo": self._echo, "points": self._points, "alarms": alarms}

    def load(self, state: State) -> None:
        """Continue from a saved state."""
        self._echo, self._points = state["echo"], state["points"]
        self._alarms = [(at, high) for at, high in state["alarms"]]
