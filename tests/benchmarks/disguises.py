"""`python -m tests.benchmarks.disguises`: does the head still find harm in disguise?

Takes harmful texts of the shared sets that the shipped head finds as they are, writes
them as evaders do, and counts those it still finds, before and after `normalise`.
"""

import csv
import json
import random
from pathlib import Path

import numpy as np
from rich.console import Console

from encoders.normalise import normalise
from schemas.records import Category
from streams.evaluation.disguises import DISGUISES
from streams.settings import Settings
from streams.wiring import build_text_encoder, build_text_risk

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
REVIEW = 0.5  # The lowest threshold of the policy for these categories.


def harmful(count: int) -> list[str]:
    """Return hateful, fraudulent and otherwise harmful English texts, short ones."""
    hate = [
        row["test_case"]
        for row in csv.DictReader((DATA / "hatecheck/half_a.csv").open())
        if row["label_gold"] == "hateful"
        and not row["functionality"].startswith("spell")
    ]
    fraud = [
        row["text"]
        for row in csv.DictReader((DATA / "sms_smishing/train.csv").open())
        if row["label"] != "ham"
    ]
    rows = (DATA / "openai_moderation/half_a.jsonl").read_text().splitlines()
    prompts = [
        row["prompt"]
        for row in map(json.loads, rows)
        if any(row.get(key) == 1 for key in ("H", "V", "HR", "SH", "S"))
    ]
    pick = random.Random(7)
    sets = (hate, fraud, [text for text in prompts if len(text) < 600])
    return [t for texts in sets for t in pick.sample(texts, min(count, len(texts)))]


def main() -> None:
    """Print a table in Markdown."""
    write = Console(width=200).print
    encoder = build_text_encoder(Settings())
    head = build_text_risk()
    columns = [
        i for i, c in enumerate(head.categories) if c is not Category.GRAPHIC_VIOLENCE
    ]

    def found(texts: list[str]) -> np.ndarray:
        return (
            head.probabilities(encoder.embed(texts))[:, columns].max(axis=1) >= REVIEW
        )

    everything = harmful(120)
    texts = [
        t for t, is_found in zip(everything, found(everything), strict=True) if is_found
    ]
    write(f"{len(texts)} texts that the head finds as they are\n")
    write("| disguise | found, as written | found, normalised | least, mean evasion |")
    write("| --- | ---: | ---: | ---: |")
    for name, disguise in DISGUISES.items():
        written = [disguise(text) for text in texts]
        undone = [normalise(text, encoder.words) for text in written]
        before, after = found(written).mean(), found([u.text for u in undone]).mean()
        evasion = [u.evasion for u in undone]
        write(
            f"| {name} | {before:.2f} | {after:.2f} | "
            f"{min(evasion):.2f}, {np.mean(evasion):.2f} |"
        )


if __name__ == "__main__":
    main()
