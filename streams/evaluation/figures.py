"""What a section of the scorecard says: figures, curves, or why it could not run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


class NotMeasuredError(Exception):
    """A section can't run here; the message says why and what it would take."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval; a value of None is not defined, and why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should reach; reached counts, unless `strictly`."""

    value: float
    direction: Literal["at least", "at most"] = "at least"
    strictly: bool = False

    def is_met(self, value: float) -> bool:
        """Whether a figure reaches it."""
        if self.strictly and value == self.value:
            return False
        if self.direction == "at least":
            return value >= self.value
        return value <= self.value

    def __str__(self) -> str:
        signs = {"at least": ("≥", ">"), "at most": ("≤", "<")}
        return f"{signs[self.direction][self.strictly]} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Against:
    """Somebody else's figure; `on` says what it was measured on, where that differs."""

    name: str
    value: float
    on: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the scorecard.

    Figures of a section that have a `subject` are shown as a table of subjects by
    names.
    """

    name: str  # "average precision".
    estimate: Estimate
    n: int | None = None  # Rows it was measured on.
    positives: int | None = None
    target: Target | None = None
    against: Sequence[Against] = ()
    note: str = ""
    key: str = ""  # Short and stable, for scripts: `openai.any.ap`.
    decimals: int = 3
    subject: str = ""  # "hate".

    @property
    def title(self) -> str:
        """The name with its subject: "hate: average precision"."""
        return f"{self.subject}: {self.name}" if self.subject else self.name

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None without a target."""
        if self.target is None:
            return None
        if self.estimate.value is None:
            return False
        return self.target.is_met(self.estimate.value)


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one line or set of bars; y in the chart's range."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    is_baseline: bool = False


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines over a plane; `diagonal` draws what a perfect calibration would give."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    y_range: tuple[float, float] = (0.0, 1.0)
    x_range: tuple[float, float] = (0.0, 1.0)
    x_ticks: Sequence[tuple[float, str]] = ()  # Empty: five even ones.
    diagonal: bool = False
    level: float | None = None  # A horizontal line: what chance would give.


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, in [0, 1], with its interval and a baseline's mark."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    against: float | None = None


@dataclass(frozen=True, slots=True)
class BarChart:
    """Horizontal bars, longest names left; `level` is the target's line."""

    title: str
    bars: Sequence[Bar]
    level: float | None = None
    against_name: str = ""
    x_range: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the scorecard; with `not_measured` it has no figures.

    `about` says on what and how it was measured, in a sentence or two.
    """

    key: str
    title: str
    about: str = ""
    figures: Sequence[Figure] = ()
    charts: Sequence[LineChart | BarChart] = ()
    not_measured: str = ""
