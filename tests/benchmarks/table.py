"""A row of the bench: what was measured, against what, and whether it is enough."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

Row = dict[str, Any]
Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Aim:
    """What a row is about; `at_most` where less is better."""

    name: str
    against: str
    target: float
    unit: str = "ratio"
    at_most: bool = False

    def row(self, value: float, note: str = "", limited_by: str = "") -> Row:
        """Return the row of a measured value; a missed target says what limits it."""
        met = value <= self.target if self.at_most else value >= self.target
        why = f"limited by: {limited_by}" if limited_by and not met else ""
        return self._row(round(value, 2), met, "; ".join(filter(None, (note, why))))

    def unmeasured(self, reason: str) -> Row:
        """Return the row of what could not be measured here."""
        return self._row(None, False, f"not measured: {reason}")

    def _row(self, value: float | None, met: bool, note: str) -> Row:
        return {
            "name": self.name,
            "value": value,
            "against": self.against,
            "target": self.target,
            "met": met,
            "unit": self.unit,
            "better": "lower" if self.at_most else "higher",
            "note": note,
        }


def row(name: str, value: float, against: str, target: float) -> Row:
    """Return the row of a ratio that should be high."""
    return Aim(name, against, target).row(value)


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


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile of values in any order."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def print_table(rows: Sequence[Row]) -> None:
    """Print rows; of other files' rows only name to met are expected."""
    table = Table("row", "value", "against", "target", "met", "note")
    for one in rows:
        unit = one.get("unit", "ratio")
        sign = "≤" if one.get("better") == "lower" else "≥"
        value = "–" if one["value"] is None else str(one["value"])
        table.add_row(
            one["name"],
            value if unit == "ratio" else f"{value} {unit}",
            one["against"],
            f"{sign} {one['target']:g}",
            "yes" if one["met"] else "no",
            one.get("note", ""),
        )
    Console(width=None if os.isatty(1) else 160).print(table)
