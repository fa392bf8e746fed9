"""Counts outcomes: how many are equal, who flipped from what to what, and why."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.records import RiskDecision
from streams.replay.outcome import Outcome, outcome_line

# Clauses and reasons come from policies and may be many; past this they are summed up.
MOST_KEYS = 1000
REST = "(others)"
NO_CATEGORY = "none"

_COUNTERS = ("results", "actions", "clauses", "categories", "kinds", "reasons")


@dataclass(slots=True)
class Tally:
    """Counts over any number of outcomes; bounded, and adds up over partitions."""

    results: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)  # Of flips: allow->block.
    clauses: Counter[str] = field(default_factory=Counter)  # Of flips.
    categories: Counter[str] = field(default_factory=Counter)  # Of flips: the top one.
    kinds: Counter[str] = field(default_factory=Counter)  # Of flips.
    reasons: Counter[str] = field(default_factory=Counter)  # Of differences.
    warmed: int = 0  # Records learned before the window.
    first_difference: dict[str, Any] | None = None
    first_ms: int | None = None  # When the first record was written …
    last_ms: int | None = None  # … and the last.

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.results[outcome.result] += 1
        self._note_time(outcome.time_ms, outcome.time_ms)
        if outcome.is_flip and outcome.then and outcome.now:
            then, now = outcome.then, outcome.now
            count_bounded(self.actions, _arrow(then.action, now.action))
            count_bounded(self.clauses, f"{then.clause} -> {now.clause}")
            count_bounded(self.categories, top_category(now))
            count_bounded(self.kinds, outcome.signals.event.kind.lower())
        if outcome.result in ("different", "unknown"):
            self._differs(outcome_line(outcome))

    def add_unjudged(self, line: dict[str, Any]) -> None:
        """Count a record that was not judged."""
        self.results[line["result"]] += 1
        self._note_time(line["time_ms"], line["time_ms"])
        if line["result"] != "buried":
            self._differs(line)

    def add_all(self, other: "Tally") -> None:
        """Count what another tally counted."""
        for name in _COUNTERS:
            counter: Counter[str] = getattr(self, name)
            for key, count in getattr(other, name).items():
                count_bounded(counter, key, count)
        self.warmed += other.warmed
        if other.first_ms is not None and other.last_ms is not None:
            self._note_time(other.first_ms, other.last_ms)
        if other.first_difference is not None:
            self._note_first(other.first_difference)

    @property
    def events(self) -> int:
        """How many records of the window were looked at."""
        return sum(self.results.values())

    @property
    def flips(self) -> int:
        """How many uploads have another action now."""
        return sum(self.actions.values())

    def to_json(self) -> dict[str, Any]:
        """Write it so that `from_json` reads it back; the most frequent first."""
        counted = {n: dict(getattr(self, n).most_common()) for n in _COUNTERS}
        return {
            **counted,
            "warmed": self.warmed,
            "first_difference": self.first_difference,
            "first_ms": self.first_ms,
            "last_ms": self.last_ms,
        }

    @classmethod
    def from_json(cls, obj: Mapping[str, Any]) -> "Tally":
        """Read back what `to_json` wrote."""
        counted = {name: Counter(obj[name]) for name in _COUNTERS}
        return cls(
            **counted,
            warmed=obj["warmed"],
            first_difference=obj["first_difference"],
            first_ms=obj["first_ms"],
            last_ms=obj["last_ms"],
        )

    def _differs(self, line: dict[str, Any]) -> None:
        reason = line["reason"] or "another action"
        count_bounded(self.reasons, reason)
        named = ("time_ms", "partition", "offset", "content_id")
        self._note_first({name: line[name] for name in named} | {"reason": reason})

    def _note_time(self, first_ms: int, last_ms: int) -> None:
        self.first_ms = (
            first_ms if self.first_ms is None else min(self.first_ms, first_ms)
        )
        self.last_ms = last_ms if self.last_ms is None else max(self.last_ms, last_ms)

    def _note_first(self, difference: dict[str, Any]) -> None:
        if self.first_difference is None or _place(difference) < _place(
            self.first_difference
        ):
            self.first_difference = difference


def added_up(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of tallies."""
    total = Tally()
    for tally in tallies:
        total.add_all(tally)
    return total


def top_category(decision: RiskDecision) -> str:
    """Name the likeliest category of a decision; the first in CATEGORIES on a tie."""
    spoken = [c for c in decision.categories if c.probability is not None]
    if not spoken:
        return NO_CATEGORY
    top = max(spoken, key=lambda c: c.probability or 0.0)
    return top.category.lower()


def _arrow(then: str, now: str) -> str:
    return f"{then.lower()} -> {now.lower()}"


def count_bounded(counter: Counter[str], key: str, count: int = 1) -> None:
    """Count a key; past MOST_KEYS of them it counts as one of the others."""
    if key not in counter and len(counter) >= MOST_KEYS:
        key = REST
    counter[key] += count


def _place(difference: Mapping[str, Any]) -> tuple[int, int, int]:
    return difference["time_ms"], difference["partition"], difference["offset"]
