"""Cuts a condition into tokens, each with its place in the text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from streams.yaml_tree import quoted

MAX_CHARS = 4_000  # Of one condition; a long one has 200.
MAX_TOKENS = 500

TokenKind = Literal["number", "name", "text", "sign", "end"]
# Linear: no two parts can match the same character in two ways.
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
      | (?P<name>[A-Za-z_][\w-]*(?:\.[\w-]+)*)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<sign>>=|<=|==|!=|[<>()\[\],])
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


class ConditionError(Exception):
    """A condition that can't be used; the reader of the file adds the place."""

    def __init__(self, offset: int, found: str, expected: str, remedy: str) -> None:
        super().__init__(found)
        self.offset = offset  # Of the character in the condition, from 0.
        self.found = found
        self.expected = expected
        self.remedy = remedy


@dataclass(slots=True)
class Token:
    """A piece of a condition; `value` of a text is what stands between its quotes."""

    kind: TokenKind
    value: str
    offset: int

    @property
    def described(self) -> str:
        """The token, for a message."""
        return "the end" if self.kind == "end" else quoted(self.value)


def tokens_of(text: str) -> Iterator[Token]:
    """Give a condition's tokens and then one of kind `end`.

    Raises:
        ConditionError: a character begins none, or the condition is too long.
    """
    if len(text) > MAX_CHARS:
        remedy = "split the rule in two, or list names in a bank"
        found = f"{len(text)} characters"
        raise ConditionError(0, found, f"at most {MAX_CHARS}", remedy)
    at, end = 0, len(text.rstrip())
    for _ in range(MAX_TOKENS):
        if at >= end:
            yield Token("end", "", end)
            return
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unknown(text, at)
        kind = match.lastgroup
        assert kind is not None, "every alternative is named"
        value, at = match[kind], match.end()
        if kind == "text":
            # Patterns are full of backslashes, so they escape nothing but quotes.
            value = value[1:-1].replace("\\" + value[0], value[0])
        yield Token(kind, value, match.start(kind))  # type: ignore[arg-type]
    remedy = "split the rule in two, or list names in a bank"
    found = f"more than {MAX_TOKENS} words and signs"
    raise ConditionError(at, found, "at most that", remedy)


def _unknown(text: str, at: int) -> ConditionError:
    at += len(text[at:]) - len(text[at:].lstrip())
    found = text[at]
    if found in "\"'":
        return ConditionError(at, "a text without its end", "one", f"add {found}")
    if found == "=":
        return ConditionError(at, "'='", "a comparison", "write == for equal")
    if found in "&|!":
        remedy = "write and, or, not"
        return ConditionError(at, repr(found), "a word or a sign", remedy)
    if found.isdigit() or found == "-":
        return ConditionError(at, quoted(text[at:]), "a number", "write it as 0.92")
    expected = "a name, a number, a text in quotes or a sign"
    return ConditionError(at, quoted(found), expected, "remove it")
