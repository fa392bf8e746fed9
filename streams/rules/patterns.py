"""Patterns over texts, by RE2: their time grows as the text's length and no faster."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import re2

MAX_PATTERN_CHARS = 500
# Bytes that a compiled pattern may take; RE2 refuses what needs more.
_PATTERN_BYTES = 1 << 20
_SET_BYTES = 32 << 20  # Of all the patterns on one text together.


class PatternError(Exception):
    """A pattern that can't be used: what is wrong, and what would be right."""

    def __init__(self, found: str, expected: str, remedy: str) -> None:
        super().__init__(found)
        self.expected = expected
        self.remedy = remedy


@lru_cache(4096)
def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """Return the search for a pattern anywhere in a text.

    Raises:
        PatternError: it is too long, or no pattern of RE2's.
    """
    if len(pattern) > MAX_PATTERN_CHARS:
        found = f"a pattern of {len(pattern)} characters"
        expected = f"at most {MAX_PATTERN_CHARS}"
        raise PatternError(found, expected, "list what you look for in a bank")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _PATTERN_BYTES
    try:
        search = re2.compile(pattern, options).search
    except re2.error as error:
        why = error.args[0]
        said = why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)
        expected = "a pattern of RE2, which has no look-around and no back-references"
        raise PatternError(said, expected, "simplify the pattern") from error
    return lambda text: search(_encoded(text)) is not None


class PatternSet:
    """Many patterns, looked for in one pass over a text."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """`patterns` were compiled one by one before, so each of them is good."""
        options = re2.Options()
        options.log_errors = False
        options.max_mem = _SET_BYTES
        self._set = re2.Set.SearchSet(options)
        self._fits = True
        self._every = range(len(patterns))
        for pattern in patterns:
            self._set.Add(pattern)
        # Found in every text. RE2 says "no match" too when its memory runs out: where
        # even this one isn't found, that is what happened.
        self._witness = self._set.Add("")
        try:
            self._set.Compile()
        except re2.error:  # More than _SET_BYTES.
            self._fits = False

    def found_in(self, text: str) -> Iterable[int]:
        """Return the places of the patterns that may be in a text.

        They are those that are, or all where the set needs too much memory to tell.
        """
        found = (self._set.Match(_encoded(text)) or ()) if self._fits else ()
        if self._witness not in found:
            return self._every
        return (place for place in found if place != self._witness)


def _encoded(text: str) -> bytes:
    """Lone surrogates can't be encoded, and are in no pattern."""
    return text.encode("utf-8", "replace")
