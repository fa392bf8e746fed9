"""Reads hostile-safe YAML into nodes that know their line, before `policy_file`.

Only what a policy needs: one document of mappings, lists and plain values. Anchors,
tags, deep nesting and duplicate keys are refused, each with its place.
"""

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import yaml

from streams.errors import PolicyError

MAX_BYTES = 256 * 1024  # Ours; the default policy has 5 KB.
MAX_DEPTH = 8  # A policy needs three.
MAX_EVENTS = 20_000  # Parser events; the default policy has 300, a second reads 20,000.
_QUOTED_CHARS = 40  # As much of a bad value as a message repeats.


# What YAML's types are to someone who writes a policy.
_WORDS = {"str": "text", "int": "the number", "float": "the number", "bool": "yes/no"}


class _Mark(Protocol):
    """PyYAML's mark, from either of its two parsers; counted from 0."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; counted from 1."""

    file: str
    line: int
    column: int

    def error(self, found: str, expected: str, remedy: str) -> PolicyError:
        """Return the error to raise: what was found here, expected, and to be done."""
        return PolicyError(
            f"{self.file}:{self.line}:{self.column}: "
            f"found {found}; expected {expected}; {remedy}"
        )


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file and its place."""

    file: str
    raw: yaml.Node

    @property
    def place(self) -> Place:
        """Where it starts."""
        return _place(self.file, self.raw.start_mark)

    @property
    def described(self) -> str:
        """The value, for a message."""
        if isinstance(self.raw, yaml.ScalarNode):
            kind = self.raw.tag.rpartition(":")[2]
            if kind == "null":
                return "nothing"
            return f"{_WORDS.get(kind, kind)} {quoted(self.raw.value)}"
        return "a mapping" if isinstance(self.raw, yaml.MappingNode) else "a list"

    def text(self, expected: str, remedy: str) -> str:
        """Return a plain value as it is written; a list, mapping or nothing is bad."""
        if isinstance(self.raw, yaml.ScalarNode) and self.raw.value.strip():
            return str(self.raw.value)
        raise self.place.error(self.described, expected, remedy)

    def one_of(self, allowed: Collection[str], kind: str) -> str:
        """Return a plain value that is one of `allowed`."""
        value = self.text(kind, f"use one of {', '.join(allowed)}")
        if value not in allowed:
            raise self.place.error(quoted(value), kind, nearest(value, allowed))
        return value

    def number(self, expected: str, remedy: str) -> float:
        """Return a number."""
        if self.raw.tag in ("tag:yaml.org,2002:float", "tag:yaml.org,2002:int"):
            try:
                return float(self.raw.value)
            except ValueError:  # YAML's .nan, 0x1 and 1:30 are no numbers to us.
                pass
        raise self.place.error(self.described, expected, remedy)

    def items(self, expected: str, remedy: str) -> Iterator[tuple["Node", "Node"]]:
        """Give a mapping's keys and values; a key that is given twice is bad."""
        if not isinstance(self.raw, yaml.MappingNode):
            raise self.place.error(self.described, expected, remedy)
        seen: dict[str, int] = {}
        for raw_key, raw_value in self.raw.value:
            key = Node(self.file, raw_key)
            name = key.text("a name", "write NAME: VALUE")
            if name in seen:
                first = f"each name once (it is on line {seen[name]} too)"
                raise key.place.error(quoted(name), first, "remove one of the two")
            seen[name] = key.place.line
            yield key, Node(self.file, raw_value)

    def entries(self, expected: str, remedy: str) -> Iterator["Node"]:
        """Give a list's entries."""
        if not isinstance(self.raw, yaml.SequenceNode):
            raise self.place.error(self.described, expected, remedy)
        for raw in self.raw.value:
            yield Node(self.file, raw)


def parse_tree(text: str, file: str) -> Node:
    """Read one YAML document.

    Raises:
        PolicyError: it is no YAML, too large, or uses what a policy has no need of.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise Place(file, 1, 1).error(
            f"{size} bytes", f"at most {MAX_BYTES}", "shorten the policy"
        )
    try:
        _check_events(text, file)  # First: composing recurses and expands aliases.
        raw = yaml.compose(text, yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        raise _unreadable(text, file, error) from error
    except yaml.MarkedYAMLError as error:
        raise _place(file, error.problem_mark or error.context_mark).error(
            (error.problem or "a syntax error").removeprefix("found "),
            "YAML",
            "mend the line; indent with spaces and put text with : or # in quotes",
        ) from error
    if raw is None:
        remedy = "start from deploy/policies/default.yaml"
        raise Place(file, 1, 1).error("an empty file", "a policy", remedy)
    return Node(file, raw)


def nearest(value: str, allowed: Collection[str]) -> str:
    """Return the remedy for a wrong name: the nearest right one, or all of them."""
    close = difflib.get_close_matches(value[:_QUOTED_CHARS].lower(), allowed, n=1)
    every = f"use one of {', '.join(allowed)}"
    return f"did you mean {close[0]!r}?" if close else every


def quoted(value: str) -> str:
    """Return a value as a message repeats it: escaped and cut."""
    cut = value if len(value) <= _QUOTED_CHARS else value[:_QUOTED_CHARS] + "…"
    return repr(cut)


def _check_events(text: str, file: str) -> None:
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, yaml.SafeLoader)):
        place = _place(file, event.start_mark)
        if count > MAX_EVENTS:
            found = f"more than {MAX_EVENTS} values and marks"
            raise place.error(found, "at most that", "shorten the policy")
        for found in _forbidden(event):
            raise place.error(found, "plain values", "write the value out")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise place.error("a second document", "one", "remove it and its ---")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            found = f"nesting of more than {MAX_DEPTH} levels"
            raise place.error(found, "at most that", "flatten it")


def _forbidden(event: yaml.Event) -> Sequence[str]:
    anchor: str | None = getattr(event, "anchor", None)
    if anchor is not None:
        kind = "alias *" if isinstance(event, yaml.AliasEvent) else "anchor &"
        return [f"the {kind}{quoted(anchor)}"]
    tag: str | None = getattr(event, "tag", None)
    return [f"the tag {quoted(tag)}"] if tag is not None else []


def _place(file: str, mark: _Mark | None) -> Place:
    if mark is None:
        return Place(file, 1, 1)
    return Place(file, mark.line + 1, mark.column + 1)


def _unreadable(text: str, file: str, error: yaml.reader.ReaderError) -> PolicyError:
    before = text[: error.position]
    column = len(before) - (before.rfind("\n") + 1) + 1
    return Place(file, before.count("\n") + 1, column).error(
        f"the character U+{ord(text[error.position]):04X}",
        "printable text",
        "remove it",
    )
