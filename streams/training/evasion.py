"""How much of what is found is found again in disguise; on held texts only.

Each text is written as evaders do, read as the scorer reads it (`encoders.normalise`),
and judged by the head that never saw it, at the same threshold as the text itself.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.hidden_words import Words
from encoders.normalise import normalise
from streams.training.evaluate import OutOfFold
from streams.training.examples import Example
from streams.training.head import FloatArray

SAMPLED: Final = 60  # Of a fold and a set.
LONGEST: Final = 600  # Characters.
SETS: Final = ("openai", "hatecheck", "sms")

_LEET: Final = str.maketrans("aeiost", "431057")
_HOMOGLYPHS: Final = str.maketrans("aeopcxyi", "аеорсхуі")

WAYS: Final[Mapping[str, Callable[[str], str]]] = {
    "leet": lambda text: text.lower().translate(_LEET),
    "spacing": lambda text: "  ".join(" ".join(word) for word in text.split()),
    "homoglyphs": lambda text: text.translate(_HOMOGLYPHS),
    "zero-width": lambda text: "\u200b".join(text),
    "bidi override": lambda text: "\u202e" + text[::-1] + "\u202c",
}


def sampled(
    examples: Sequence[Example], held: NDArray[np.int64], seed: int
) -> list[int]:
    """Choose harmful held rows, by place; HateCheck's are as plain as they come."""
    chance = random.Random(seed)
    chosen: list[int] = []
    for source in SETS:
        places = [
            at
            for at in held.tolist()
            if examples[at].source == source
            and any(examples[at].labels.values())
            and len(examples[at].text) <= LONGEST
            and not examples[at].slice.startswith("spell")
        ]
        chosen += sorted(chance.sample(places, min(SAMPLED, len(places))))
    return chosen


def disguised_texts(texts: Sequence[str], words: Words) -> list[str]:
    """Return each text in each disguise, undone as far as it can be: way by way."""
    return [normalise(way(t), words).text for way in WAYS.values() for t in texts]


def evasion_report(
    result: OutOfFold, places: Sequence[Sequence[int]], logits: Sequence[FloatArray]
) -> str:
    """Return the share found again, as Markdown.

    Args:
        result: All held rows.
        places: For each fold the sampled rows' places in `result`.
        logits: For each fold float32, shape (ways * rows, categories).
    """
    return "\n".join(["", "", *_lines(result, places, logits)])


def _lines(
    result: OutOfFold, places: Sequence[Sequence[int]], logits: Sequence[FloatArray]
) -> Iterator[str]:
    again: dict[str, list[bool]] = {name: [] for name in WAYS}
    for fold, (rows, said) in enumerate(zip(places, logits, strict=True)):
        by_way = said.reshape(len(WAYS), len(rows), -1)
        for column_of, at in enumerate(rows):
            harm = (result.labels[at] == 1) & (result.logits[at] >= result.limits[fold])
            if harm.any():
                for name, found in zip(WAYS, by_way[:, column_of], strict=True):
                    again[name].append(bool((found >= result.limits[fold])[harm].any()))
    count = len(next(iter(again.values())))
    yield f"Of {count} held texts found as they are, found again in disguise:"
    yield ""
    yield "| disguise | found |"
    yield "| --- | ---: |"
    for name, found in again.items():
        yield f"| {name} | {np.mean(found) if found else np.nan:.2f} |"
