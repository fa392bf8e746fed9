"""What others call our categories: maps as data, each with its version.

id: openai-moderation
version: "1"
source: where their list is published
theirs: [hate, hate/threatening]
ours:
  hate: [hate, hate/threatening]
  fraud_spam: []          # They have no name for it.
unused: [sexual]          # What none of ours is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.records import CATEGORIES, Category
from streams.policies.values import name
from streams.yaml_tree import Node, parse_tree

_KEYS = ("id", "version", "source", "theirs", "ours", "unused")
_REQUIRED = _KEYS[:5]
_CATEGORY_NAMES = tuple(category.lower() for category in CATEGORIES)


@dataclass(frozen=True, slots=True)
class OutwardMap:
    """What one of the others calls each of our categories; empty where nothing."""

    id: str
    version: str
    source: str
    theirs: tuple[str, ...]
    ours: Mapping[Category, tuple[str, ...]]


def parse_map(text: str, file: str) -> OutwardMap:
    """Read a map; every category of ours and every name of theirs is spoken for.

    Raises:
        PolicyError: it can't be used, or leaves something out.
    """
    root = parse_tree(text, file)
    parts: dict[str, Node] = {}
    for key, value in root.items("a map's keys", "write id: NAME first"):
        parts[key.one_of(_KEYS, "a map's key")] = value
    for wanted in _REQUIRED:
        if wanted not in parts:
            remedy = f"add a line `{wanted}: …`"
            raise root.place.error(f"no {wanted}", f"the key {wanted}", remedy)
    theirs = _names(parts["theirs"])
    ours = _ours(parts["ours"], theirs)
    unused = _chosen(parts["unused"], theirs) if "unused" in parts else ()
    used = {word for words in ours.values() for word in words}
    for word in theirs:
        if (word in used) is (word in unused):
            found = "both used and unused" if word in used else "used by none of ours"
            raise parts["theirs"].place.error(
                f"{word!r}, {found}",
                "every name of theirs in `ours`, or else in `unused`",
                "name it in one of the two",
            )
    return OutwardMap(
        name(parts["id"], "a map's id"),
        name(parts["version"], "a map's version"),
        name(parts["source"], "where their list is published"),
        theirs,
        ours,
    )


def _ours(node: Node, theirs: tuple[str, ...]) -> dict[Category, tuple[str, ...]]:
    found: dict[Category, tuple[str, ...]] = {}
    for key, value in node.items("a mapping from category to names", "write hate: []"):
        category = key.one_of(_CATEGORY_NAMES, "a known category")
        found[Category(category.upper())] = _chosen(value, theirs)
    for category in CATEGORIES:
        if category not in found:
            remedy = f"add {category.lower()}: […], or [] where they have no name"
            raise node.place.error(
                f"no {category.lower()}", "every category of ours", remedy
            )
    return found


def _names(node: Node) -> tuple[str, ...]:
    entries = node.entries("a list of their names", "write [NAME, …]")
    return tuple(name(entry, "a name of theirs") for entry in entries)


def _chosen(node: Node, theirs: tuple[str, ...]) -> tuple[str, ...]:
    entries = node.entries("a list of their names", "write [NAME, …]")
    return tuple(entry.one_of(theirs, "a name in `theirs`") for entry in entries)
