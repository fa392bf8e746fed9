"""Writes ordinary titles and sentences, as many as are wanted, from a small vocabulary.

For made traffic. Their word pairs are as varied as people's: a few hundred words
combine to tens of thousands of pairs. What sentences mean does not matter.
"""

from random import Random
from typing import Final

_WORDS: Final[dict[str, str]] = {
    "a": "quiet golden broken early lonely wild patient hollow crimson gentle winter "
    "electric wooden distant velvet restless tiny northern paper careless honest "
    "silver sleepy stubborn marble crooked rainy foreign faded hungry sacred clumsy",
    "n": "harbour garden engine letter mirror orchard railway lantern thunder kitchen "
    "market satellite violin festival neighbour grandmother meadow laundry telescope "
    "bakery bicycle sailor carpenter whistle compass chapel tractor piano elevator "
    "museum umbrella teacher tunnel diary hammer blanket ladder river candle puppet",
    "v": "paints repairs remembers follows borrows photographs carries forgets "
    "collects describes records interviews builds visits sketches measures cooks "
    "restores explains chases sings studies polishes imagines discovers cleans",
    "p": "Lisbon Detroit Lagos Seoul Glasgow Oslo Quito Hanoi Naples Winnipeg Tbilisi "
    "Dakar Perth Krakow Havana Leeds Porto Kyoto Austin Galway Tunis Malmo Cusco Riga",
    "g": "jazz drill techno folk metal country afrobeat ambient house soul punk bossa "
    "garage choir dub swing",
    "t": "on Sundays|before breakfast|after the storm|in the nineties|last summer|"
    "every other week|when nobody listens|during the strike|at closing time|"
    "with three friends|for the first time|without a plan",
}
_CHOICES: Final = {
    kind: tuple(text.split("|") if "|" in text else text.split())
    for kind, text in _WORDS.items()
}
_SENTENCES: Final = (
    "The {a} {n} {v} a {a} {n} {t}.",
    "My {n} from {p} {v} the {a} {n} {t}.",
    "Today a {n} {v} our {n} and we talk about {g} in {p}.",
    "We recorded this {g} piece near the {a} {n} of {p}.",
    "A {a} story about a {n}, a {n} and {g} {t}.",
    "Thanks to the {n} crew in {p}, this {a} {g} session happened {t}.",
    "Why the {n} {v} {g} better than any {a} {n}.",
    "Part of a series on the {n} and the {n} in {p}.",
)
_TITLES: Final = (
    "{A} {N}",
    "The {A} {N}",
    "{N} in {p}",
    "{A} {N} ({g} version)",
    "{N} and {N}",
    "A {a} {n} {v} the {n}",
    "{p} {g} session",
    "Songs for a {a} {n}",
    "{A} {N}, live in {p}",
    "How the {n} {v} a {a} {n}",
)


def sentence(rng: Random) -> str:
    """Write one sentence."""
    return _filled(rng.choice(_SENTENCES), rng)


def title(rng: Random) -> str:
    """Write one title."""
    return _filled(rng.choice(_TITLES), rng)


def name(rng: Random) -> str:
    """Invent an artist."""
    return _filled(rng.choice(("{A} {N}", "DJ {N}", "The {N}s", "{N} {p}")), rng)


def _filled(template: str, rng: Random) -> str:
    parts = template.split("{")
    out = [parts[0]]
    for part in parts[1:]:
        kind, _, rest = part.partition("}")
        word = rng.choice(_CHOICES[kind.lower()])
        out.append((word.capitalize() if kind.isupper() else word) + rest)
    return "".join(out)
