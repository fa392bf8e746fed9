"""Reads hostile-safe YAML into nodes that know their line, before `policy_file`.

Only what a policy needs: one document of mappings, lists and plain values. Anchors,
tags, deep nesting and duplicate keys are refused, each with its place.
"""

import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import yaml
from yaml.reader import Reader
from yaml.resolver import Resolver

from streams.errors import PolicyError

MAX_BYTES = 256 * 1024  # Ours, of one file; the default policy has 8 KB.
MAX_DEPTH = 8  # A policy needs five.
MAX_EVENTS = 20_000  # Parser events of one file; a thousand rules have 14,000.
_QUOTED_CHARS = 40  # As much of a bad value as a message repeats.
_BOM = "\ufeff"

# What YAML's types are to someone who writes a policy.
_WORDS = {"str": "text", "int": "the number", "float": "the number", "bool": "yes/no"}
_EXPECTED = re.compile(r"(?:did|could) not find expected ")
_RESOLVER = Resolver()

Kind = Literal["text", "list", "mapping"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def error(self, found: str, expected: str, remedy: str) -> PolicyError:
        """Return the error to raise: what was found here, expected, and to be done."""
        return PolicyError(f"{self}: found {found}; expected {expected}; {remedy}")


@dataclass(frozen=True, slots=True)
class Source:
    """A file's name and text."""

    file: str
    text: str


@dataclass(slots=True, eq=False)
class Node:
    """A value of the file and its place; `value` is a text or holds nodes.

    A mapping holds its keys and values in turn.
    """

    source: Source
    kind: Kind
    value: "str | list[Node]"
    line: int
    column: int
    style: str = ""  # Of a text: how it is quoted.

    @property
    def place(self) -> Place:
        """Where it starts."""
        return Place(self.source.file, self.line, self.column)

    @property
    def described(self) -> str:
        """The value, for a message."""
        if self.kind != "text":
            return f"a {self.kind}"
        kind = self._yaml_type()
        if kind == "null":
            return "nothing"
        return f"{_WORDS.get(kind, kind)} {quoted(str(self.value))}"

    def text(self, expected: str, remedy: str) -> str:
        """Return a plain value as it is written; a list, mapping or nothing is bad."""
        if self.kind == "text" and str(self.value).strip():
            return str(self.value)
        raise self.place.error(self.described, expected, remedy)

    def one_of(self, allowed: Collection[str], kind: str) -> str:
        """Return a plain value that is one of `allowed`."""
        value = self.text(kind, f"use one of {', '.join(allowed)}")
        if value not in allowed:
            raise self.place.error(quoted(value), kind, nearest(value, allowed))
        return value

    def number(self, expected: str, remedy: str) -> float:
        """Return a number."""
        if self.kind == "text" and self._yaml_type() in ("float", "int"):
            try:
                return float(str(self.value))
            except ValueError:  # YAML's .nan, 0x1 and 1:30 are no numbers to us.
                pass
        raise self.place.error(self.described, expected, remedy)

    def items(self, expected: str, remedy: str) -> Iterator[tuple["Node", "Node"]]:
        """Give a mapping's keys and values; a key that is given twice is bad."""
        if self.kind != "mapping":
            raise self.place.error(self.described, expected, remedy)
        seen: dict[str, int] = {}
        children = iter(self._children())
        for key, value in zip(children, children, strict=True):
            name = key.text("a name", "write NAME: VALUE")
            if name in seen:
                first = f"each name once (it is on line {seen[name]} too)"
                raise key.place.error(quoted(name), first, "remove one of the two")
            seen[name] = key.line
            yield key, value

    def entries(self, expected: str, remedy: str) -> Sequence["Node"]:
        """Return a list's entries."""
        if self.kind != "list":
            raise self.place.error(self.described, expected, remedy)
        return self._children()

    def at(self, offset: int) -> Place:
        """Return where the character at `offset` of this text stands in the file.

        Where quoting has changed characters, it is where the text starts.
        """
        text, value = self.source.text, str(self.value)
        at = self._start() - 1
        for char in value[: offset + 1]:
            if char.isspace():  # Folding changes these and nothing else.
                continue
            at += 1
            while text[at : at + 1].isspace():
                at += 1
            if text[at : at + 1] != char:
                return self.place
        past_the_end = offset >= len(value.rstrip())
        return _place_of(self.source, at + past_the_end)

    def _start(self) -> int:
        """Return where in the file the text's own characters begin."""
        lines = self.source.text.splitlines(keepends=True)
        start = sum(map(len, lines[: self.line - 1])) + self.column - 1
        if self.style in ("|", ">"):  # The line of the mark holds no text.
            return start + len(lines[self.line - 1]) - (self.column - 1)
        return start + len(self.style)

    def _children(self) -> "list[Node]":
        assert isinstance(self.value, list), "a list or mapping holds nodes"
        return self.value

    def _yaml_type(self) -> str:
        if self.style:
            return "str"
        implicit = (True, False)  # Not quoted, without a tag.
        tag: str = _RESOLVER.resolve(yaml.ScalarNode, self.value, implicit)  # type: ignore[no-untyped-call]
        return tag.rpartition(":")[2]


def parse_tree(text: str, file: str) -> Node:
    """Read one YAML document.

    Raises:
        PolicyError: it is no YAML, too large, or uses what a policy has no need of.
    """
    start = Place(file, 1, 1)
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        remedy = "shorten the policy, or make it a folder of files"
        raise start.error(f"{size} bytes", f"at most {MAX_BYTES}", remedy)
    source = Source(file, text.removeprefix(_BOM))
    _check_characters(source)
    try:
        root = _build(source)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = start if mark is None else Place(file, mark.line + 1, mark.column + 1)
        raise place.error(
            _EXPECTED.sub("no ", (error.problem or "a syntax error")).removeprefix(
                "found "
            ),
            "YAML",
            "mend the line; indent with spaces and put text with : or # in quotes",
        ) from error
    if root is None:
        remedy = "start from deploy/policies/default"
        raise start.error("an empty file", "a policy", remedy)
    return root


def nearest(value: str, allowed: Collection[str]) -> str:
    """Return the remedy for a wrong name: the nearest right one, or all of them."""
    close = difflib.get_close_matches(value[:_QUOTED_CHARS].lower(), allowed, n=1)
    every = f"use one of {', '.join(allowed)}"
    return f"did you mean {close[0]!r}?" if close else every


def quoted(value: str) -> str:
    """Return a value as a message repeats it: escaped and cut."""
    cut = value if len(value) <= _QUOTED_CHARS else value[:_QUOTED_CHARS] + "…"
    return repr(cut)


def _check_characters(source: Source) -> None:
    bad = Reader.NON_PRINTABLE.search(source.text)
    at = bad.start() if bad else source.text.find(_BOM)
    if at >= 0:
        found = f"the character U+{ord(source.text[at]):04X}"
        raise _place_of(source, at).error(found, "printable text", "remove it")


def _build(source: Source) -> Node | None:
    """Make nodes of parser events, without recursion and without any alias."""
    root: Node | None = None
    documents = 0
    open_nodes: list[Node] = []
    # libyaml's parser: ten times as fast as the one in Python.
    for count, event in enumerate(yaml.parse(source.text, yaml.CSafeLoader)):
        mark = event.start_mark
        assert mark is not None, "a parser marks every event"
        place = Place(source.file, mark.line + 1, mark.column + 1)
        _refuse(event, place, count, len(open_nodes))
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise place.error("a second document", "one", "remove it and its ---")
        elif isinstance(event, yaml.CollectionEndEvent):
            open_nodes.pop()
        elif isinstance(event, yaml.NodeEvent):
            node = _node(source, event, place)
            if not open_nodes:
                root = node
            else:
                open_nodes[-1].value.append(node)  # type: ignore[union-attr]
            if node.kind != "text":
                open_nodes.append(node)
    return root


def _node(source: Source, event: yaml.NodeEvent, place: Place) -> Node:
    if isinstance(event, yaml.ScalarEvent):
        style = event.style or ""
        return Node(source, "text", event.value, place.line, place.column, style)
    kind: Kind = "list" if isinstance(event, yaml.SequenceStartEvent) else "mapping"
    return Node(source, kind, [], place.line, place.column)


def _refuse(event: yaml.Event, place: Place, count: int, depth: int) -> None:
    if count > MAX_EVENTS:
        found = f"more than {MAX_EVENTS} values and marks"
        remedy = "shorten the policy, or make it a folder of files"
        raise place.error(found, "at most that", remedy)
    anchor = getattr(event, "anchor", None)
    tag = getattr(event, "tag", None)
    if anchor is not None:
        kind = "alias *" if isinstance(event, yaml.AliasEvent) else "anchor &"
        found = f"the {kind}{quoted(anchor)}"
        raise place.error(found, "plain values", "write the value out")
    if tag is not None:
        found = f"the tag {quoted(tag)}"
        raise place.error(found, "plain values", "write the value out")
    if depth >= MAX_DEPTH and isinstance(event, yaml.CollectionStartEvent):
        found = f"nesting of more than {MAX_DEPTH} levels"
        raise place.error(found, "at most that", "flatten it")


def _place_of(source: Source, index: int) -> Place:
    """Return where a character of the file stands; lines end as YAML's do."""
    before = source.text[:index].splitlines(keepends=True) or [""]
    if before[-1] and before[-1][-1] in "\n\r\x85\u2028\u2029":
        return Place(source.file, len(before) + 1, 1)
    return Place(source.file, len(before), len(before[-1]) + 1)
