"""Which script a text is written in; beside `language`, where a title is too short.

A language takes a sentence to tell, a script one letter.
"""

from collections import Counter
from functools import lru_cache
from typing import Final

from confusable_homoglyphs import categories

LATIN: Final = "Latn"
# Unicode's script names to ISO 15924: every script of a language with over a million
# speakers, and some more. Any other is `Zzzz`, the standard's code for the unlisted.
_CODES: Final = {
    "LATIN": LATIN,
    "ARABIC": "Arab",
    "ARMENIAN": "Armn",
    "BENGALI": "Beng",
    "BOPOMOFO": "Hani",
    "CANADIAN_ABORIGINAL": "Cans",
    "CHEROKEE": "Cher",
    "COPTIC": "Copt",
    "CYRILLIC": "Cyrl",
    "DEVANAGARI": "Deva",
    "ETHIOPIC": "Ethi",
    "GEORGIAN": "Geor",
    "GREEK": "Grek",
    "GUJARATI": "Gujr",
    "GURMUKHI": "Guru",
    "HAN": "Hani",
    "HANGUL": "Kore",
    "HEBREW": "Hebr",
    "HIRAGANA": "Jpan",
    "KANNADA": "Knda",
    "KATAKANA": "Jpan",
    "KHMER": "Khmr",
    "LAO": "Laoo",
    "MALAYALAM": "Mlym",
    "MONGOLIAN": "Mong",
    "MYANMAR": "Mymr",
    "NKO": "Nkoo",
    "ORIYA": "Orya",
    "SINHALA": "Sinh",
    "SYRIAC": "Syrc",
    "TAMIL": "Taml",
    "TELUGU": "Telu",
    "THAANA": "Thaa",
    "THAI": "Thai",
    "TIBETAN": "Tibt",
    "TIFINAGH": "Tfng",
    "YI": "Yiii",
}
_UNLISTED: Final = "Zzzz"
_ANY_SCRIPT: Final = frozenset({"COMMON", "INHERITED"})  # A long mark, a styled letter.


def script_of(text: str) -> str | None:
    """Return the ISO 15924 code of the script that half the letters are in, or more.

    Latin wins only with more than half: a text that is as much in another is not one
    that who reads Latin has read. Chinese characters beside kana are Japanese. None
    where there is no letter.
    """
    counts = Counter(_code(letter) for letter in text if letter.isalpha())
    del counts[None]
    others = counts.total() - counts[LATIN]
    if counts[LATIN] > others or not others:
        return LATIN if counts[LATIN] else None
    if counts["Jpan"]:
        counts["Jpan"] += counts.pop("Hani", 0)
    del counts[LATIN]
    return counts.most_common(1)[0][0]


@lru_cache(maxsize=8192)  # The library searches a list for each.
def _code(letter: str) -> str | None:
    if letter.isascii():
        return LATIN
    script = categories.alias(letter)
    return None if script in _ANY_SCRIPT else _CODES.get(script, _UNLISTED)
