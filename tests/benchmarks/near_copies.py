"""`python -m tests.benchmarks.near_copies`: how far apart are copies, and other texts?

What NEAR_BITS of the near-duplicate scorer is chosen by: the bits in which signatures
differ between a text message and small edits of it, and between different messages.
"""

import csv
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console

from encoders.text import TextEncoder
from streams.fingerprint import differing_bits, simhash
from streams.settings import Settings
from streams.wiring import build_text_encoder

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MESSAGES = 400
FILLERS = ("now", "today", "please", "really", "again", "free", "ok", "new")


def added(text: str, chance: random.Random) -> str:
    """Add a word somewhere."""
    words = text.split()
    words.insert(chance.randrange(len(words) + 1), chance.choice(FILLERS))
    return " ".join(words)


def dropped(text: str, chance: random.Random) -> str:
    """Leave a word out."""
    words = text.split()
    del words[chance.randrange(len(words))]
    return " ".join(words)


def shouted(text: str, chance: random.Random) -> str:
    """Shout, or write small."""
    return text.upper() + "!" if chance.random() < 0.5 else text.lower()


def renumbered(text: str, chance: random.Random) -> str:
    """Change every digit."""
    return "".join(str(chance.randrange(10)) if c.isdigit() else c for c in text)


EDITS: dict[str, Callable[[str, random.Random], str]] = {
    "a word added": added,
    "a word dropped": dropped,
    "shouted or lowered": shouted,
    "renumbered": renumbered,
}


def main() -> None:
    """Print a table in Markdown, for the base model and for the shipped adapter's."""
    rows = csv.DictReader((DATA / "sms_smishing/train.csv").open(encoding="utf-8"))
    texts = sorted({row["text"] for row in rows if len(row["text"].split()) > 3})
    texts = random.Random(7).sample(texts, MESSAGES)
    show(texts, build_text_encoder(Settings()))


def show(texts: list[str], encoder: TextEncoder) -> None:
    """Print what copies and others differ by."""
    write = Console(width=200).print
    chance = random.Random(8)
    own = [simhash(row) for row in encoder.embed(texts)]
    write("| pairs | 50 % | 90 % | 95 % |")
    write("| --- | ---: | ---: | ---: |")
    copies = []
    for name, edit in EDITS.items():
        vectors = encoder.embed([edit(text, chance) for text in texts])
        bits = [
            differing_bits(a, simhash(b)) for a, b in zip(own, vectors, strict=True)
        ]
        copies += bits
        write(f"| {name} | {_quantiles(bits)} |")
    write(f"| all copies | {_quantiles(copies)} |")
    others = np.array(
        [differing_bits(a, b) for at, a in enumerate(own) for b in own[:at]]
    )
    write("\n| at most this many bits | copies | pairs of different messages |")
    write("| ---: | ---: | ---: |")
    for most in range(20, 81, 4):
        near, false = np.mean(np.array(copies) <= most), np.mean(others <= most)
        write(f"| {most} | {near:.3f} | {false:.5f} |")


def _quantiles(bits: list[int]) -> str:
    return " | ".join(f"{q:.0f}" for q in np.quantile(bits, [0.5, 0.9, 0.95]))


if __name__ == "__main__":
    main()
