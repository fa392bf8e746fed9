"""What a character would be in plain Latin letters: fonts, small capitals, homoglyphs.

Beside `normalise`. Made from Unicode's own data: its names and NFKC in Python's
`unicodedata`, its list of confusable characters in the library confusable-homoglyphs
(only the data: the library's functions judge whole strings).
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final

from confusable_homoglyphs import confusables

_STYLED: Final = re.compile(
    r"(?:LATIN LETTER SMALL CAPITAL|NEGATIVE (?:SQUARED|CIRCLED) LATIN CAPITAL LETTER) "
    r"([A-Z])"
)
# Drawn alike in lower case too, but not in Unicode's list.
_ALSO: Final = {"к": "k", "т": "t", "м": "m", "в": "b", "н": "h", "ԁ": "d", "ѕ": "s"}
# Sentence ends that `text_split` knows; NFKC would make them ASCII, without its blanks.
_KEPT: Final = frozenset("！？…")
_ALPHABETS: Final = ("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC")


@lru_cache(maxsize=16_384)  # Of 150,000 characters; a text uses few.
def folded(cluster: str) -> str:
    """Return a character and its marks in NFKC, and letters that are a mere font."""
    if cluster in _KEPT:
        return cluster
    styled = _STYLED.fullmatch(unicodedata.name(cluster[0], ""))
    base = styled[1].lower() if styled else cluster[0]
    return unicodedata.normalize("NFKC", base + cluster[1:])


@lru_cache(maxsize=16_384)
def is_alphabetic(character: str) -> bool:
    """Whether it is of an alphabet whose letters need no invisible joiners."""
    plain = unicodedata.normalize("NFKC", character)[:1]
    return bool(plain) and unicodedata.name(plain, "").startswith(_ALPHABETS)


def homoglyph(character: str) -> str | None:
    """Return the ASCII letter that a letter of another script looks like."""
    return _homoglyphs().get(character)


@cache
def _homoglyphs() -> dict[str, str]:
    """Read Unicode's list of letters; accented and Latin ones stay themselves."""
    found = dict(_ALSO)
    for character, alike in confusables.confusables_data.items():
        letters = [one["c"] for one in alike if len(one["c"]) == 1]
        plain = [c for c in letters if c.isascii() and c.isalpha()]
        if plain and len(character) == 1 and _is_foreign(character):
            found.setdefault(character, plain[0])
    return found


def _is_foreign(character: str) -> bool:
    if not character.isalpha():
        return False
    # Turkish and African Latin letters are ordinary; phonetic ones are not.
    is_phonetic = "\u0250" <= character <= "\u02af"
    return is_phonetic or "LATIN" not in unicodedata.name(character, "LATIN")
