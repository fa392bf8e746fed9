"""Which texts the scorecard asks heads about that never saw them.

The rows themselves, disguised copies of harmful ones, and stretches of clean speech.
Whoever makes an out-of-fold file scores all of them, each by the head of its own fold.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.records import Category
from streams.evaluation.disguises import DISGUISES
from streams.training.examples import Example

SEED: Final = 20_261_126
PER_SOURCE: Final = 200  # Harmful texts disguised; 200 give intervals of about ± 0.03.
LONGEST_DISGUISED_CHARS: Final = 600  # As titles and posts are; a prompt may be longer.
# Read aloud, English has about 150 words a minute; Whisper's windows are 30 s.
SEGMENT_WORDS: Final = 75
SEGMENT_S: Final = 30.0
# Who writes as they speak, and harmless: private messages, and the team's own texts of
# ordinary uploads.
CLEAN_SOURCES: Final = ("sms", "own")


@dataclass(frozen=True, slots=True)
class Disguised:
    """A harmful text as an evader would write it."""

    text: str
    of: int  # Index of the example it is a copy of.
    disguise: str


def disguised(examples: Sequence[Example]) -> list[Disguised]:
    """Return disguised copies of a seeded choice of harmful texts, the same each time.

    Texts that are disguised as they come (HateCheck's misspellings) are left out.
    """
    return [
        Disguised(disguise(examples[index].text), index, name)
        for index in harmful(examples)
        for name, disguise in DISGUISES.items()
    ]


def harmful(examples: Sequence[Example]) -> list[int]:
    """Return the indices of the harmful texts that are disguised."""
    by_source: dict[str, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        short = len(example.text) <= LONGEST_DISGUISED_CHARS
        if short and example.text.isascii() and 1 in example.labels.values():
            by_source[example.source].append(index)
    pick = random.Random(SEED)
    return [
        index
        for source in ("hatecheck", "openai", "sms")
        for index in sorted(
            pick.sample(
                by_source[source],
                min(PER_SOURCE, len(by_source[source])),
            )
        )
    ]


@dataclass(frozen=True, slots=True)
class CleanSegment:
    """Half a minute of harmless speech, of rows of one fold."""

    text: str
    fold: int


def clean_segments(
    examples: Sequence[Example], folds: NDArray[np.integer]
) -> list[CleanSegment]:
    """Glue harmless messages of a fold to stretches of SEGMENT_WORDS, seeded."""
    by_fold: dict[int, list[str]] = defaultdict(list)
    for example, fold in zip(examples, folds, strict=True):
        if example.source in CLEAN_SOURCES and _is_clean(example):
            by_fold[int(fold)].append(example.text)
    segments = []
    for fold, texts in sorted(by_fold.items()):
        random.Random(SEED + fold).shuffle(texts)
        segments += [CleanSegment(text, fold) for text in _glued(texts)]
    return segments


def _is_clean(example: Example) -> bool:
    known = set(example.labels.values())
    return known == {0} and example.labels.get(Category.FRAUD_SPAM) == 0


def _glued(texts: Sequence[str]) -> list[str]:
    segments: list[str] = []
    parts: list[str] = []
    words = 0
    for text in texts:
        parts.append(text)
        words += len(text.split())
        if words >= SEGMENT_WORDS:
            segments.append(" ".join(parts))
            parts, words = [], 0
    return segments
