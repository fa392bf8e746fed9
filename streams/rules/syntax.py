"""A condition as a tree: what the parser makes and the compiler reads."""

from dataclasses import dataclass
from typing import Literal

from streams.rules.vocabulary import Term

Sign = Literal[">=", ">", "<=", "<", "==", "!="]

# What a comparison says when its sides change places, and when it is denied.
MIRRORED: dict[Sign, Sign] = {
    ">=": "<=", ">": "<", "<=": ">=", "<": ">", "==": "==", "!=": "!=",
}  # fmt: skip
DENIED: dict[Sign, Sign] = {
    ">=": "<", ">": "<=", "<=": ">", "<": ">=", "==": "!=", "!=": "==",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compare:
    """A number or a text against a constant: `score.hate >= 0.9`."""

    term: Term
    sign: Sign
    value: float | str

    def __str__(self) -> str:
        return f"{self.term.name} {self.sign} {_written(self.value)}"


@dataclass(frozen=True, slots=True)
class CompareTerms:
    """Two numbers of the upload against each other: `score.hate > score.harassment`."""

    left: Term
    sign: Sign
    right: Term

    def __str__(self) -> str:
        return f"{self.left.name} {self.sign} {self.right.name}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """A text in a list: `kind in [track, video]`."""

    term: Term
    values: tuple[str, ...]

    def __str__(self) -> str:
        listed = ", ".join(_written(value) for value in self.values)
        return f"{self.term.name} in [{listed}]"


@dataclass(frozen=True, slots=True)
class Has:
    """A list with an entry: `territories has DE`."""

    term: Term
    value: str

    def __str__(self) -> str:
        return f"{self.term.name} has {_written(self.value)}"


@dataclass(frozen=True, slots=True)
class Matches:
    """A text with a pattern somewhere in it: `text.title matches "(?i)free gift"`."""

    term: Term
    pattern: str

    def __str__(self) -> str:
        return f"{self.term.name} matches {_quoted(self.pattern)}"


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary; of what is unknown it is unknown too."""

    inner: "Tree"

    def __str__(self) -> str:
        joined = isinstance(self.inner, All | Any)
        return f"not ({self.inner})" if joined else f"not {self.inner}"


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; no part at all holds always."""

    parts: tuple["Tree", ...]

    def __str__(self) -> str:
        shown = (f"({p})" if isinstance(p, Any) else str(p) for p in self.parts)
        return " and ".join(shown) or "always"


@dataclass(frozen=True, slots=True)
class Any:
    """One part holds at least."""

    parts: tuple["Tree", ...]

    def __str__(self) -> str:
        return " or ".join(str(part) for part in self.parts)


Leaf = Compare | CompareTerms | OneOf | Has | Matches
Tree = Leaf | Not | All | Any


def leaves(tree: Tree) -> tuple[Leaf, ...]:
    """Return a tree's predicates, as written from left to right."""
    if isinstance(tree, Not):
        return leaves(tree.inner)
    if isinstance(tree, All | Any):
        return tuple(leaf for part in tree.parts for leaf in leaves(part))
    return (tree,)


def terms_of(leaf: Leaf) -> tuple[Term, ...]:
    """Return the terms that a predicate reads."""
    if isinstance(leaf, CompareTerms):
        return (leaf.left, leaf.right)
    return (leaf.term,)


def _written(value: float | str) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    plain = value.replace("-", "").replace("_", "").isalnum() and value.isascii()
    return value if plain and not value[0].isdigit() else _quoted(value)


def _quoted(value: str) -> str:
    escaped = value.replace('"', '\\"')
    return f'"{escaped}"'
