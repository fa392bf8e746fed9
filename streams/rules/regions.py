"""Where a condition can be true: boxes of numbers and words, compared with others'.

Decided: what `and`, `or` and `not` make of numbers against constants, texts against
constants and lists, and any other predicate as a thing of its own that holds or
doesn't. Not decided: what two patterns have in common, what comparing two names with
each other implies, and conditions of more than MAX_REGIONS alternatives.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from math import inf, nextafter
from types import MappingProxyType
from typing import Never

from streams.rules.syntax import (
    DENIED,
    All,
    Any,
    Compare,
    CompareTerms,
    Leaf,
    Not,
    OneOf,
    Tree,
)

MAX_REGIONS = 32

_NONE: Mapping[str, Never] = MappingProxyType({})
Interval = tuple[float, float]  # Closed: `> x` begins at the next float.


@dataclass(frozen=True, slots=True)
class Region:
    """All of: numbers in intervals, texts among or not among some, others true or not.

    What it doesn't name may be anything.
    """

    intervals: Mapping[str, Interval] = field(default_factory=lambda: _NONE)
    among: Mapping[str, frozenset[str]] = field(default_factory=lambda: _NONE)
    barred: Mapping[str, frozenset[str]] = field(default_factory=lambda: _NONE)
    others: frozenset[tuple[str, bool]] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be in it."""
        return (
            any(low > high for low, high in self.intervals.values())
            or any(not words for words in self.among.values())
            or any((text, not sign) in self.others for text, sign in self.others)
        )

    def covers(self, other: "Region") -> bool:
        """Say whether everything in `other` is in this one too."""
        everything: Interval = (-inf, inf)
        for name, (low, high) in self.intervals.items():
            its_low, its_high = other.intervals.get(name, everything)
            if its_low < low or its_high > high:
                return False
        for name, words in self.among.items():
            if name not in other.among or not other.among[name] <= words:
                return False
        for name, words in self.barred.items():
            inside = other.among.get(name)
            if inside is not None and not inside & words:
                continue
            if not words <= other.barred.get(name, frozenset()):
                return False
        return self.others <= other.others

    def joined(self, other: "Region") -> "Region":
        """Return what is in both."""
        intervals = dict(self.intervals)
        for name, (low, high) in other.intervals.items():
            mine = intervals.get(name, (low, high))
            intervals[name] = (max(low, mine[0]), min(high, mine[1]))
        barred = dict(self.barred)
        for name, words in other.barred.items():
            barred[name] = barred.get(name, frozenset()) | words
        among = dict(self.among)
        for name, words in other.among.items():
            among[name] = among.get(name, words) & words
        for name in among.keys() & barred.keys():
            among[name] -= barred[name]
        return Region(
            intervals or _NONE,
            among or _NONE,
            barred or _NONE,
            self.others | other.others,
        )


def regions_of(tree: Tree) -> tuple[Region, ...] | None:
    """Return the regions in which a condition is true; None where they are too many.

    Some may be empty: an upload of unknown values may be in one for all we know.
    """
    return _regions(tree, True)


def _regions(tree: Tree, sign: bool) -> tuple[Region, ...] | None:
    if isinstance(tree, Not):
        return _regions(tree.inner, not sign)
    if isinstance(tree, All | Any):
        parts = [_regions(part, sign) for part in tree.parts]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        is_all = isinstance(tree, All) is sign
        return _product(known) if is_all else _sum(known)
    return _leaf(tree, sign)


def _sum(parts: list[tuple[Region, ...]]) -> tuple[Region, ...] | None:
    together = tuple(region for part in parts for region in part)
    return together if len(together) <= MAX_REGIONS else None


def _product(parts: list[tuple[Region, ...]]) -> tuple[Region, ...] | None:
    count = 1
    for part in parts:
        count *= len(part)
        if count > MAX_REGIONS:
            return None
    return tuple(_joined(chosen) for chosen in product(*parts))


def _joined(regions: Iterable[Region]) -> Region:
    return reduce(Region.joined, regions, Region())


def _leaf(leaf: Leaf, sign: bool) -> tuple[Region, ...]:
    if isinstance(leaf, Compare) and isinstance(leaf.value, float):
        return _interval(leaf, leaf.value, sign)
    if isinstance(leaf, Compare):
        return _words(leaf.term.name, (str(leaf.value),), sign is (leaf.sign == "=="))
    if isinstance(leaf, OneOf):
        return _words(leaf.term.name, leaf.values, sign)
    if isinstance(leaf, CompareTerms) and leaf.sign in ("<", "<=", "!="):
        # So that a comparison and its contrary are told as such.
        leaf, sign = CompareTerms(leaf.left, DENIED[leaf.sign], leaf.right), not sign
    return (Region(others=frozenset({(str(leaf), sign)})),)


def _interval(leaf: Compare, value: float, sign: bool) -> tuple[Region, ...]:
    low, high = leaf.term.low, leaf.term.high
    below, above = (low, nextafter(value, -inf)), (nextafter(value, inf), high)
    intervals: dict[str, tuple[Interval, ...]] = {
        ">=": ((value, high),),
        ">": (above,),
        "<=": ((low, value),),
        "<": (below,),
        "==": ((value, value),),
        "!=": (below, above),
    }
    said = leaf.sign if sign else DENIED[leaf.sign]
    return tuple(Region({leaf.term.name: bounds}) for bounds in intervals[said])


def _words(name: str, values: tuple[str, ...], sign: bool) -> tuple[Region, ...]:
    words = frozenset(values)
    if sign:
        return (Region(among={name: words}),)
    return (Region(barred={name: words}),)
