"""How evaders write, so that it can be measured whether their words are still found."""

from collections.abc import Callable, Mapping
from typing import Final

_LEET: Final = str.maketrans("aeiost", "431057")
_HOMOGLYPHS: Final = str.maketrans("aeopcxyiАЕ", "аеорсхуіАЕ")
_FULL_WIDTH: Final = 0xFEE0  # From "!" to its full-width form, in code points.


def spaced(text: str) -> str:
    """Put a blank between all letters, two between words.

    >>> spaced("go on")
    'g o  o n'
    """
    return "  ".join(" ".join(word) for word in text.split())


DISGUISES: Final[Mapping[str, Callable[[str], str]]] = {
    "leet": lambda text: text.lower().translate(_LEET),
    "spaced letters": spaced,
    "homoglyphs": lambda text: text.translate(_HOMOGLYPHS),
    "zero-width": lambda text: "\u200b".join(text),
    "bidi override": lambda text: "\u202e" + text[::-1] + "\u202c",
    "full-width": lambda text: "".join(
        chr(ord(c) + _FULL_WIDTH) if "!" <= c <= "~" else c for c in text
    ),
    "struck through": lambda text: "\u0336".join(text),
}
