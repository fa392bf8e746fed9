"""Texts for the micro Whisper: strings of a few hundred words (`sentences.yaml`).

Before `speaking`. Half of the training texts follow patterns of speech, half are words
in any order, so that the decoder learns to listen more than to guess.
"""

import random
import re
from pathlib import Path
from typing import Any, Final

import yaml

_FILE: Final = Path(__file__).with_name("sentences.yaml")
_DATA: Final[dict[str, Any]] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
_CLASSES: Final = {name: words.split() for name, words in _DATA["classes"].items()}
_PATTERNS: Final[list[str]] = _DATA["patterns"]
WORDS: Final = tuple(sorted({word for some in _CLASSES.values() for word in some}))
HELD_OUT: Final[tuple[str, ...]] = tuple(_DATA["held_out"])
FOREIGN: Final = {name: words.split() for name, words in _DATA["foreign"].items()}
# They sound alike: only their neighbours tell which is meant.
_HOMOPHONES: Final = frozenset({"to", "two", "for", "four", "by"})
_LOOSE_WORDS: Final = tuple(word for word in WORDS if word not in _HOMOPHONES)


def a_text(rng: random.Random) -> str:
    """Draw a text to train on: by a pattern, or two to seven words in any order."""
    while True:
        if rng.random() < 0.5:
            slots = rng.choice(_PATTERNS).split()
            text = " ".join(
                rng.choice(_CLASSES[slot]) if slot in _CLASSES else slot
                for slot in slots
            )
        else:
            text = " ".join(rng.choices(_LOOSE_WORDS, k=rng.randint(2, 7)))
        if text not in HELD_OUT:
            return text


def a_foreign_text(rng: random.Random, language: str) -> str:
    """Draw three to eight words of a language the model is not to know."""
    return " ".join(rng.choices(FOREIGN[language], k=rng.randint(3, 8)))


def normalised(text: str) -> str:
    """Write a text as the model would: lower case, letters and single spaces only."""
    return " ".join(re.findall(r"[a-z']+", text.lower()))
