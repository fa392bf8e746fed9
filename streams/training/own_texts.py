"""Fill the team's own templates into examples, seeded: the same list every time."""

import itertools
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from streams.training import everyday, intents
from streams.training.examples import COVERED, NOTHING, Example

FILLINGS: Final = 6  # Of a template; more of the same sentence teaches nothing.
SEED: Final = 20_261_123

_SLOT = re.compile(r"\{(\w+)\}")
_PUNCTUATION = re.compile(r"[^\w\s']")


def own() -> list[Example]:
    """Return every filled template, as written and as speech would give it."""
    written = [*_everyday(), *_intents()]
    return [e for example in written for e in with_spoken_copy(example)]


def with_spoken_copy(example: Example) -> Iterator[Example]:
    """Yield the example, then its copy without case and punctuation.

    A text that is already so is given once, so that no text counts twice.
    """
    yield example
    spoken = as_spoken(example.text)
    if spoken and spoken != example.text:
        yield Example(
            spoken,
            example.labels,
            f"{example.source}:spoken",
            example.family,
            example.weight / 2,
        )


def as_spoken(text: str) -> str:
    """Return the text as a speech recogniser would write it.

    >>> as_spoken("Stop! It's 5 o'clock.")
    "stop it's 5 o'clock"
    """
    return " ".join(_PUNCTUATION.sub(" ", text.lower()).split())


def fill(
    template: str, slots: Mapping[str, Sequence[str]], seed: int
) -> tuple[str, ...]:
    """Return up to FILLINGS distinct fillings of a template, in a seeded order."""
    names = _SLOT.findall(template)
    choices = list(itertools.product(*(slots[name] for name in names)))
    random.Random(seed).shuffle(choices)
    texts = []
    for values in choices[:FILLINGS]:
        parts = iter(values)
        texts.append(_SLOT.sub(lambda _: next(parts), template))  # noqa: B023
    return tuple(dict.fromkeys(texts))


def _everyday() -> Iterator[Example]:
    for section, templates in everyday.SECTIONS.items():
        for index, template in enumerate(templates):
            for text in fill(template, everyday.SLOTS, SEED + index):
                yield Example(text, NOTHING, "own", f"own:{section}:{index}")


def _intents() -> Iterator[Example]:
    for section, positive, templates in intents.INTENTS:
        unknown = intents.UNKNOWN_BESIDE[section]
        labels = {c: positive.get(c, 0) for c in COVERED if c not in unknown}
        for index, template in enumerate(templates):
            for text in fill(template, intents.SLOTS, SEED + index):
                yield Example(text, labels, "own", f"own:{section}:{index}")
