"""Compiles a condition's tree to a function of an upload's facts.

Three-valued, by Kleene's strong logic: what is unknown makes a condition unknown
unless the rest of it decides. `score.hate >= 0.9 and kind == track` is false for a
video without any score, and unknown for a track without one.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field

from streams.rules.patterns import compile_pattern
from streams.rules.regions import Region, regions_of
from streams.rules.syntax import (
    All,
    Any,
    Compare,
    CompareTerms,
    Has,
    Leaf,
    Matches,
    Not,
    OneOf,
    Sign,
    Tree,
    leaves,
    terms_of,
)
from streams.rules.vocabulary import Facts, Term

Truth = bool | None  # None: unknown.
Holds = Callable[[Facts], Truth]

_OPERATORS: dict[Sign, Callable[[float | str, float | str], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition.

    `regions` is where it can be true; None where that was not worked out.
    """

    tree: Tree
    holds: Holds = field(compare=False)
    terms: tuple[Term, ...]
    risks: tuple[str, ...]  # The names in [0, 1] that it reads.
    regions: tuple[Region, ...] | None

    def __str__(self) -> str:
        return str(self.tree)

    def value(self, facts: Facts) -> float:
        """Return the highest risk that it read; -1 where it read none."""
        found = (facts[name] for name in self.risks)
        return max((v for v in found if isinstance(v, float)), default=-1.0)

    def unknown(self, facts: Facts) -> tuple[str, ...]:
        """Return the names that it reads and nobody knows."""
        return tuple(term.name for term in self.terms if facts[term.name] is None)


def condition(tree: Tree) -> Condition:
    """Compile a tree."""
    terms = tuple({t.name: t for leaf in leaves(tree) for t in terms_of(leaf)}.values())
    risks = tuple(term.name for term in terms if term.risk)
    return Condition(tree, compiled(tree), terms, risks, regions_of(tree))


def compiled(tree: Tree) -> Holds:
    """Return the function that says whether a tree holds."""
    if isinstance(tree, All):
        return _all(tuple(compiled(part) for part in tree.parts))
    if isinstance(tree, Any):
        return _any(tuple(compiled(part) for part in tree.parts))
    if isinstance(tree, Not):
        return _not(compiled(tree.inner))
    return _leaf(tree)


def _leaf(leaf: Leaf) -> Holds:
    if isinstance(leaf, Compare):
        return _compare(leaf.term.name, _OPERATORS[leaf.sign], leaf.value)
    if isinstance(leaf, CompareTerms):
        names = (leaf.left.name, leaf.right.name)
        return _compare_terms(*names, _OPERATORS[leaf.sign])
    if isinstance(leaf, OneOf):
        return _one_of(leaf.term.name, frozenset(leaf.values))
    if isinstance(leaf, Has):
        return _has(leaf.term.name, leaf.value)
    return _matches(leaf)


def _all(parts: tuple[Holds, ...]) -> Holds:
    def holds(facts: Facts) -> Truth:
        result: Truth = True
        for part in parts:
            found = part(facts)
            if found is False:
                return False
            if found is None:
                result = None
        return result

    return holds


def _any(parts: tuple[Holds, ...]) -> Holds:
    def holds(facts: Facts) -> Truth:
        result: Truth = False
        for part in parts:
            found = part(facts)
            if found is True:
                return True
            if found is None:
                result = None
        return result

    return holds


def _not(inner: Holds) -> Holds:
    def holds(facts: Facts) -> Truth:
        found = inner(facts)
        return None if found is None else not found

    return holds


def _compare(
    name: str,
    compare: Callable[[float | str, float | str], bool],
    constant: float | str,
) -> Holds:
    def holds(facts: Facts) -> Truth:
        value = facts[name]
        return None if value is None else compare(value, constant)  # type: ignore[arg-type]

    return holds


def _compare_terms(
    left: str, right: str, compare: Callable[[float | str, float | str], bool]
) -> Holds:
    def holds(facts: Facts) -> Truth:
        one, other = facts[left], facts[right]
        if one is None or other is None:
            return None
        return compare(one, other)  # type: ignore[arg-type]

    return holds


def _one_of(name: str, values: frozenset[str]) -> Holds:
    def holds(facts: Facts) -> Truth:
        value = facts[name]
        return None if value is None else value in values

    return holds


def _has(name: str, wanted: str) -> Holds:
    def holds(facts: Facts) -> Truth:
        value = facts[name]
        return None if value is None else wanted in value  # type: ignore[operator]

    return holds


def _matches(leaf: Matches) -> Holds:
    name, search = leaf.term.name, compile_pattern(leaf.pattern)

    def holds(facts: Facts) -> Truth:
        value = facts[name]
        return None if value is None else search(str(value))

    return holds
