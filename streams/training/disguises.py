"""Texts as people write who would not be found, and as people write in a hurry.

Training copies only: what `encoders.normalise` can't undo a head has to read as it is,
so letters are dropped, swapped, doubled, starred out and replaced here. Tests disguise
in other ways (tests/benchmarks/disguises.py).
"""

import random
import re
from collections.abc import Callable
from typing import Final

# Of words long enough to be read all the same, the share that is changed.
WORD_SHARE: Final = 0.4
SHORTEST_WORD: Final = 4

_WORD: Final = re.compile(r"[A-Za-z]+")
_SIGNS: Final = {
    "a": "4@",
    "e": "3",
    "i": "1!",
    "o": "0",
    "s": "5$",
    "t": "7",
    "l": "1",
}


def disguised(text: str, seed: int) -> str:
    """Return the text with some of its words written otherwise, the same each time."""
    chance = random.Random(seed)
    way = chance.choice(_WAYS)

    def change(found: re.Match[str]) -> str:
        word = found[0]
        if len(word) < SHORTEST_WORD or chance.random() > WORD_SHARE:
            return word
        return way(word, chance)

    return _WORD.sub(change, text)


def _dropped(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def _swapped(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _doubled(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word))
    return word[:at] + word[at] * chance.randint(2, 4) + word[at + 1 :]


def _starred(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word) - 1)
    return word[:at] + chance.choice("*#-_.") + word[at + 1 :]


def _signed(word: str, chance: random.Random) -> str:
    return "".join(
        chance.choice(_SIGNS[c.lower()])
        if c.lower() in _SIGNS and chance.random() < 0.7
        else c
        for c in word
    )


def _without_vowels(word: str, chance: random.Random) -> str:
    kept = [c for c in word[1:] if c.lower() not in "aeiou" or chance.random() < 0.3]
    return word[0] + "".join(kept)


def _spaced(word: str, chance: random.Random) -> str:
    return chance.choice((" ", ".", "-")).join(word)


_WAYS: Final[tuple[Callable[[str, random.Random], str], ...]] = (
    _dropped,
    _swapped,
    _doubled,
    _starred,
    _signed,
    _without_vowels,
    _spaced,
)
