"""Which rules an upload needs looking at: those whose guard it may reach.

A guard is one predicate without which a rule can't be true: `score.hate >= 0.9`,
`uploader_id == "u1"` or `text.title matches "…"`. Of a thousand rules an upload reaches
few guards, and only those rules are evaluated. Where a guard's value is unknown, its
rules are too: they are looked at unless they skip what is unknown.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

from streams.rules.patterns import PatternSet
from streams.rules.regions import Region
from streams.rules.rule import IfMissing, WrittenRule
from streams.rules.syntax import Matches, leaves
from streams.rules.vocabulary import Facts, Value

_FEW = ("kind", "stage")  # Texts that many rules guard by, since they have few values.
_LONG = "transcript"  # A text that takes long to search.


@dataclass(frozen=True, slots=True)
class _Floor:
    """A number that is at least this; a ceiling is the floor of the negative."""

    name: str
    least: float
    sign: float = 1.0


@dataclass(frozen=True, slots=True)
class _Words:
    """A text that is one of these."""

    name: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A text with a pattern in it."""

    name: str
    pattern: str


class _Group(Protocol):
    """The rules with guards of one sort on one name."""

    unknown: list[int]  # The rules that heed an unknown value.

    def reached(self, value: Value) -> Iterable[int]:
        """Return the rules whose guards this value reaches."""


@dataclass(slots=True)
class _Floors:
    sign: float
    least: list[float] = field(default_factory=list)  # Ascending.
    rules: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)

    def reached(self, value: Value) -> Iterable[int]:
        count = bisect_right(self.least, self.sign * value)  # type: ignore[operator]
        return self.rules[:count]


@dataclass(slots=True)
class _Texts:
    rules: dict[str, list[int]] = field(default_factory=dict)
    unknown: list[int] = field(default_factory=list)

    def reached(self, value: Value) -> Iterable[int]:
        return self.rules.get(value, ())  # type: ignore[arg-type]


@dataclass(slots=True)
class _Patterns:
    patterns: list[str] = field(default_factory=list)
    rules: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    compiled: PatternSet | None = None

    def reached(self, value: Value) -> Iterable[int]:
        if self.compiled is None:
            self.compiled = PatternSet(self.patterns)
        return (self.rules[place] for place in self.compiled.found_in(str(value)))


class RuleIndex:
    """Finds the rules to look at, by their places in the policy."""

    def __init__(self, rules: Sequence[WrittenRule]) -> None:
        self._always: list[int] = []
        floors: dict[tuple[str, float], _Floors] = {}
        texts: dict[str, _Texts] = defaultdict(_Texts)
        patterns: dict[str, _Patterns] = defaultdict(_Patterns)
        for place, guard in _in_order(rules):
            heeds = rules[place].if_missing is not IfMissing.SKIP
            group: _Floors | _Texts | _Patterns
            if guard is None:
                self._always.append(place)
                continue
            if isinstance(guard, _Floor):
                key = (guard.name, guard.sign)
                group = floors.setdefault(key, _Floors(guard.sign))
                group.least.append(guard.least)
                group.rules.append(place)
            elif isinstance(guard, _Words):
                group = texts[guard.name]
                for word in guard.words:
                    group.rules.setdefault(word, []).append(place)
            else:
                group = patterns[guard.name]
                group.patterns.append(guard.pattern)
                group.rules.append(place)
            if heeds:
                group.unknown.append(place)
        groups: list[tuple[str, _Group]] = [
            *((name, group) for (name, _), group in floors.items()),
            *texts.items(),
            *patterns.items(),
        ]
        # Banks may be many, and few have a match: the others reach no floor.
        is_bank = {name for name, sign in floors if name.startswith("bank.")}
        is_bank -= {name for name, sign in floors if sign < 0.0}
        self._banks = {name: group for name, group in groups if name in is_bank}
        self._groups = [(n, group) for n, group in groups if n not in is_bank]

    def candidates(self, facts: Facts) -> list[int]:
        """Return the places of the rules that may hold or be unknown, ascending."""
        found = set(self._always)
        matched = facts.banks
        banks = self._banks if matched is None else matched & self._banks.keys()
        for name, group in (*self._groups, *((n, self._banks[n]) for n in banks)):
            value = facts[name]
            found.update(group.unknown if value is None else group.reached(value))
        return sorted(found)


_Guard = _Floor | _Words | _Pattern


def _in_order(rules: Sequence[WrittenRule]) -> list[tuple[int, _Guard | None]]:
    """Return every rule's guards, one for each way in which it can be true.

    Floors ascend: what a value reaches is then the beginning of a list.
    """
    guards = [
        (place, guard) for place, rule in enumerate(rules) for guard in _guards(rule)
    ]
    guards.sort(key=lambda g: g[1].least if isinstance(g[1], _Floor) else 0.0)
    return guards


def _guards(rule: WrittenRule) -> Iterator[_Guard | None]:
    if rule.condition.regions is None:
        yield None
        return
    found = (leaf for leaf in leaves(rule.condition.tree) if isinstance(leaf, Matches))
    patterns = {str(leaf): _Pattern(leaf.term.name, leaf.pattern) for leaf in found}
    for region in rule.condition.regions:
        required = [patterns[t] for t, sign in region.others if sign and t in patterns]
        yield _guard(region, sorted(required, key=lambda p: p.pattern))


def _guard(region: Region, patterns: Sequence[_Pattern]) -> _Guard | None:
    """Choose the rarest: one uploader, a pattern, the highest floor, then a kind."""
    among, bounds = region.among, region.intervals
    rare = sorted((len(w), n) for n, w in among.items() if n not in _FEW)
    if rare:
        return _Words(rare[0][1], among[rare[0][1]])
    short = [pattern for pattern in patterns if pattern.name != _LONG]
    floors = [(low, name) for name, (low, _) in bounds.items() if low > 0.0]
    if short or (patterns and not floors):
        return (short or patterns)[0]
    if floors:
        low, name = max(floors)
        return _Floor(name, low)
    ceilings = [(high, name) for name, (_, high) in bounds.items() if high < inf]
    if ceilings:
        high, name = min(ceilings)
        return _Floor(name, -high, sign=-1.0)
    few = sorted((len(w), n) for n, w in among.items())
    return _Words(few[0][1], among[few[0][1]]) if few else None
