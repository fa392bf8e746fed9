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
_BETWEEN_LETTERS: Final = re.compile(r"(?<=[A-Za-z])[013457@$!](?=[A-Za-z])")
_LEAST_LETTERS: Final = 2
_MOST_READINGS: Final = 32  # Five places that may be either of two letters.

_ONE: Final = r"[A-Za-z0134@$](?![\w@$])"
# At least three single letters, with the same mark between all.
SPACED: Final = re.compile(rf"(?<![\w@$]){_ONE}([ ._*·-]){_ONE}(?:\1{_ONE}){{1,199}}")
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


def _is_disguised(token: str) -> bool:
    inside = any(c in _LEET for c in token[1:-1])
    return (inside or token[0] in "@$") and not token.isdigit()


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
