"""Finds rules that can never act: none can meet them, or a harder one always does.

Decided: a rule whose every alternative is empty, such as `score.hate >= 0.9 and
score.hate < 0.5`, and a rule of which each alternative lies within one alternative of a
single other rule that is at least as hard, for at least its territories and time, with
`streams.rules.regions` as the measure. Not decided: what only several rules together
shadow, what patterns have in common, conditions of more alternatives than regions are
made for, and rules with more than MAX_COMPARED others that might shadow them.
Lines of thresholds don't shadow one another: equal steps of a ladder are harmless.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streams.errors import PolicyError
from streams.rules.regions import Region
from streams.rules.rule import SEVERITY, WrittenRule
from streams.yaml_tree import Place

MAX_COMPARED = 300  # Of one alternative with others, after the quick look.
_Anchor = tuple[str, ...]
_ANYWHERE = (0.0, 0.0)  # Bounds of what has none.
_FEW = ("kind", "stage")  # Many rules name the same ones.


@dataclass(slots=True)
class _Bucket:
    """Alternatives that have one predicate in common, by its bounds."""

    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)
    hardness: list[int] = field(default_factory=list)
    members: list[tuple[int, Region]] = field(default_factory=list)
    table: NDArray[np.float64] | None = None  # Rows of the three lists above.

    def add(self, bounds: tuple[float, float], rule: int, hard: int, r: Region) -> None:
        self.lows.append(bounds[0])
        self.highs.append(bounds[1])
        self.hardness.append(hard)
        self.members.append((rule, r))

    def might_cover(self, bounds: tuple[float, float], hard: int) -> NDArray[np.intp]:
        """Return the members within whose bounds these lie, and as hard at least."""
        if self.table is None:
            self.table = np.array([self.lows, self.highs, self.hardness])
        lows, highs, hardness = self.table
        fits = (lows <= bounds[0]) & (highs >= bounds[1]) & (hardness >= hard)
        return np.flatnonzero(fits)


class Coverage:
    """Compares every rule of a policy with the others."""

    def __init__(self, rules: Sequence[WrittenRule], lines: int) -> None:
        """`lines` is how many of them, at the beginning, are lines of thresholds."""
        self._rules = rules
        self._lines = lines
        self._buckets: dict[_Anchor, _Bucket] = defaultdict(_Bucket)
        self.undecided: list[str] = []  # Ids of rules that were not compared with all.

    def check(self) -> None:
        """Raise where a rule can never act.

        Raises:
            PolicyError: at the first such rule, in the policy's order.
        """
        for index, rule in enumerate(self._rules):
            regions = rule.condition.regions
            if regions is None:
                self.undecided.append(rule.id)
            elif all(region.is_empty for region in regions):
                raise _unreachable(rule)
            for region in regions or ():
                if not region.is_empty:
                    self._enter(index, region)
        for index, rule in enumerate(self._rules):
            by = self._shadow(index)
            if by is not None:
                raise _shadowed(rule, self._rules[by])

    def _enter(self, index: int, region: Region) -> None:
        hard = SEVERITY[self._rules[index].effect.action]
        anchors, bounds = _anchors(region)
        for anchor in anchors:
            self._buckets[anchor].add(bounds, index, hard, region)

    def _shadow(self, index: int) -> int | None:
        """Return a rule that leaves this one nothing to do."""
        regions = self._rules[index].condition.regions
        if regions is None:
            return None
        common: set[int] | None = None
        for region in regions:
            if region.is_empty:
                continue
            found = self._covering(index, region)
            common = found if common is None else common & found
            if not common:
                return None
        return min(common) if common else None

    def _covering(self, index: int, region: Region) -> set[int]:
        rule = self._rules[index]
        hard = SEVERITY[rule.effect.action]
        found: set[int] = set()
        compared = 0
        for anchor, bounds in _lookups(region):
            bucket = self._buckets.get(anchor)
            if bucket is None:
                continue
            for member in bucket.might_cover(bounds, hard).tolist():
                other, its_region = bucket.members[member]
                if other in found or not self._comparable(index, other):
                    continue
                compared += 1
                if compared > MAX_COMPARED:
                    self.undecided.append(rule.id)
                    return found
                if its_region.covers(region):
                    found.add(other)
        return found

    def _comparable(self, index: int, other: int) -> bool:
        """Say whether the other rule's word would always outweigh this one's."""
        if index == other or max(index, other) < self._lines:
            return False
        mine, its = self._rules[index], self._rules[other]
        if not (its.markets.cover(mine.markets) and its.valid.cover(mine.valid)):
            return False
        if mine.effect.action is its.effect.action:  # Then only a mere repetition.
            twin = its.effect == mine.effect and its.clause == mine.clause
            return twin and (other < index or not self._twins(index, other))
        return True

    def _twins(self, index: int, other: int) -> bool:
        """Say whether two rules are about the same; the later one is then told of."""
        mine, its = self._rules[index], self._rules[other]
        same = mine.condition.regions == its.condition.regions
        return same and mine.markets == its.markets and mine.valid == its.valid


def _anchors(region: Region) -> tuple[list[_Anchor], tuple[float, float]]:
    """Choose a predicate that whatever a region covers has to have, the rarest.

    For a list of texts it is one for each of them, since any one may be asked for.
    """
    for text, sign in sorted(region.others):
        return [("other", text, str(sign))], _ANYWHERE
    rare = sorted(name for name in region.among if name not in _FEW)
    for name in rare or (() if region.intervals else sorted(region.among)):
        return [("text", name, word) for word in region.among[name]], _ANYWHERE
    if region.intervals:
        name = min(region.intervals)
        return [("number", name)], region.intervals[name]
    return [()], _ANYWHERE


def _lookups(region: Region) -> Iterable[tuple[_Anchor, tuple[float, float]]]:
    """Give every anchor that a region covering this one may have."""
    yield (), _ANYWHERE
    for text, sign in region.others:
        yield ("other", text, str(sign)), _ANYWHERE
    for name, bounds in region.intervals.items():
        yield ("number", name), bounds
    for name, words in region.among.items():
        yield ("text", name, min(words)), _ANYWHERE


def _unreachable(rule: WrittenRule) -> PolicyError:
    return _place(rule).error(
        f"rule {rule.id!r}, which nothing can meet: {rule.condition}",
        "a condition that some upload can meet",
        "mend the bounds, or join them with or",
    )


def _shadowed(rule: WrittenRule, by: WrittenRule) -> PolicyError:
    where = "" if by.place is None else f" ({by.place})"
    return _place(rule).error(
        f"rule {rule.id!r}, which never has the last word: wherever it holds, "
        f"{by.id!r}{where} does too and says {by.effect.action.lower()}",
        f"a rule that {by.id!r} leaves something to do",
        "remove it, narrow the other one, or make its action harder",
    )


def _place(rule: WrittenRule) -> Place:
    return rule.place or Place("policy", 1, 1)
