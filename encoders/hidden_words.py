"""Words hidden as `h4te` and `h a t e`, found only where they make words.

Beside `normalise`. A word is one that the text model knows, so nothing is undone that
would tell it nothing. All steps are bounded: words are short, runs are cut.
"""

import itertools
import math
import re
from collections.abc import Mapping
from typing import Final

# What stands for what; two where it may be either.
_LEET: Final = {
    "0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "7": "t",
    "@": "a", "$": "s", "!": "il", "|": "li",
}  # fmt: skip
_CAN_BE: Final = "A-Za-z013457@$!|"
# Not part of a longer word, an address or a URL.
LEET: Final = re.compile(
    rf"(?<![\w@$/.#=&?%-])(?=[A-Za-z]{{0,23}}[013457@$!|])[{_CAN_BE}]{{2,24}}"
    r"(?![\w@$/=&%-]|\.\w)"
)
# The same within a text that is written so throughout: `15`, `d15gu575`, `d0n'7`, `4`.
THROUGHOUT: Final = re.compile(
    rf"(?<![\w@$/.#=&?%-])(?=[A-Za-z']{{0,23}}[013457@$|])[{_CAN_BE}']{{1,24}}"
    r"(?![\w@$/=&%-]|\.\w)"
)
# So many sure words, and such a share of all, are a text written so throughout.
_SURE_WORDS: Final = 3
_SURE_SHARE: Final = 0.2
# Digits alone are read as one of these only, of all common words that digits can spell:
# `70` is to, `345` a number.
_COMMON: Final = frozenset({
    "a", "i", "is", "it", "to", "so", "at", "as", "its", "too", "see", "all", "also",
    "else", "lost", "least", "less", "let", "lie", "lies", "set", "sit", "site", "tell",
    "test", "tie", "steal", "still", "east", "seat", "sale", "tall", "state", "taste",
    "total",
})  # fmt: skip
_BETWEEN_LETTERS: Final = re.compile(r"(?<=[A-Za-z])[013457@$!](?=[A-Za-z])")
_LEAST_LETTERS: Final = 2
_MOST_READINGS: Final = 32  # Five places that may be either of two letters.

_ONE: Final = r"[A-Za-z0134@$](?![\w@$])"
# At least three single letters, with the same mark between all.
SPACED: Final = re.compile(rf"(?<![\w@$]){_ONE}([ ._*·-]){_ONE}(?:\1{_ONE}){{1,199}}")
# All letters apart, and words further apart: `h a t e  i t`.
APART: Final = re.compile(r"(?<!\S)\S(?: \S)+(?!\S)")
_APART_SHARE: Final = 0.9  # Of what stands between blanks is a single character.
_APART_LEAST: Final = 8
_LETTER_SHARE: Final = 0.7  # Of those, at least; the rest is leet and marks.
_LONGEST_WORD: Final = 20  # Letters; of the model's words, 99.99 % are shorter.
_SHORT_WORDS: Final = frozenset({"a", "i", "u"})
_LEAST_MEAN_LETTERS: Final = 2.5  # Fewer a word, and any letters make words.

Words = Mapping[str, int]  # A word, in lower case, to its rank by frequency.


def plain_word(token: str, words: Words, in_leet: bool = False) -> str | None:
    """Read a token of `LEET` as a word: `k1ll` as `kill`; None where it makes none.

    Digits at its ends alone (`90s`, `covid19`) are digits, but `in_leet`, in a text
    that has such a word for sure, `7h3` is read too.
    """
    letters = sum(map(str.isalpha, token))
    if in_leet and letters and letters < len(token):
        pass
    elif letters < _LEAST_LETTERS or len(token) < 3 or not _is_disguised(token):
        return None
    choices = [_LEET.get(character, character) for character in token]
    if math.prod(map(len, choices)) > _MOST_READINGS:
        return None
    readings = ["".join(letters) for letters in itertools.product(*choices)]
    known = (word for word in readings if word.lower() in words)
    # Slurs are often no word to the model; two signs within a word are no accident.
    # (A leading @ is a user's name.)
    twice = token[0] != "@" and len(_BETWEEN_LETTERS.findall(token)) > 1
    return next(known, readings[0] if twice else None)


def is_throughout(sure_words: int, all_words: int) -> bool:
    """Say whether a text with so many sure words of `LEET` is written so throughout."""
    return sure_words >= _SURE_WORDS and sure_words >= _SURE_SHARE * all_words


def read_throughout(token: str, words: Words) -> str | None:
    """Read a token of `THROUGHOUT`: no word too, digits alone as common ones."""
    choices = [_LEET.get(character, character) for character in token]
    if math.prod(map(len, choices)) > _MOST_READINGS:
        return None
    readings = ["".join(letters) for letters in itertools.product(*choices)]
    known = [word for word in readings if word.lower() in words]
    if any(map(str.isalpha, token)):
        return known[0] if known else readings[0]
    return next((word for word in readings if word.lower() in _COMMON), None)


def _is_disguised(token: str) -> bool:
    inside = any(c in _LEET for c in token[1:-1])
    return (inside or token[0] in "@$") and not token.isdigit()


def is_apart(text: str) -> bool:
    """Say whether a text has all its letters apart, and its words further apart."""
    if "  " not in text:
        return False
    tokens = text.split()
    single = [token for token in tokens if len(token) == 1]
    letters = sum(map(str.isalpha, single))  # A table of digits is none.
    share = min(len(single), letters / _LETTER_SHARE)
    return len(tokens) >= _APART_LEAST and share >= _APART_SHARE * len(tokens)


def spaced_words(run: str, words: Words) -> list[str] | None:
    """Read single letters, as in `ihateyou`, as words; None where they make none.

    The likeliest words by Zipf's law: a word's cost is the logarithm of its rank.
    """
    letters = "".join(_LEET.get(c, c)[0] for c in run)
    if sum(map(str.isalpha, run)) < _LEAST_LETTERS + 1:
        return None
    found = _cheapest(letters, words)
    if not found or len(letters) / len(found) < _LEAST_MEAN_LETTERS:
        return None
    return found


def _cheapest(letters: str, words: Words) -> list[str] | None:
    """Split letters into words at least cost, by dynamic programming."""
    lower = letters.lower()
    costs = [0.0] + [math.inf] * len(lower)
    begins = [0] * (len(lower) + 1)
    for end in range(1, len(lower) + 1):
        for start in range(max(0, end - _LONGEST_WORD), end):
            word = lower[start:end]
            if word not in words or (len(word) == 1 and word not in _SHORT_WORDS):
                continue
            cost = costs[start] + math.log(words[word] + 2)
            if cost < costs[end]:
                costs[end], begins[end] = cost, start
    if math.isinf(costs[-1]):
        return None
    found = []
    end = len(lower)
    while end:
        found.append(letters[begins[end] : end])
        end = begins[end]
    return found[::-1]
