"""`python -m tests.benchmarks.multilingual`: other languages than the head's own.

What the default encoder and head make of them, and how many get no number at all since
they are told. About a minute on two cores.
"""

from pathlib import Path

import numpy as np
from rich.console import Console

from encoders.language import language_of
from encoders.model_files import DEFAULT_TEXT_MODEL
from encoders.normalise import normalise
from encoders.text import load_text_encoder
from schemas.records import Category
from streams.training.embed import embed_cached
from streams.training.multilingual import measure, sets_of
from streams.wiring import build_text_risk
from tests.languages import LATIN_SCRIPT, OTHER_SCRIPTS

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
CACHE = Path("build")


def main() -> None:
    """Print tables in Markdown."""
    write = Console(width=200).print
    encoder = load_text_encoder(DEFAULT_TEXT_MODEL, device="cpu", allow_download=False)
    head = build_text_risk()
    column = head.categories.index(Category.HATE)

    def hate_risk(texts: tuple[str, ...]) -> np.ndarray:
        read = [normalise(text, encoder.words).text for text in texts]
        rows = embed_cached(read, encoder.embed, encoder.model.sha256, CACHE)
        return head.probabilities(rows)[:, column]

    write(
        "| set | rows, hateful | told: no number | rightly | AP of hate, all rows | "
        "accuracy at 0.5 | not told | of these harmless: flagged |"
    )
    write("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for one in sets_of(DATA):
        found = measure(one, hate_risk)
        write(
            f"| {found.name} | {found.rows}, {found.hateful} | {found.told} | "
            f"{found.told_rightly} | {found.average_precision} | {found.accuracy} | "
            f"{found.not_told} | {found.flagged_not_told} |"
        )
    write("\n| languages, each a sentence and a title | sentences told | titles |")
    write("| --- | ---: | ---: |")
    for name, rows in (("other scripts", OTHER_SCRIPTS), ("Latin", LATIN_SCRIPT)):
        sentences = sum(language_of(s) not in (None, "en") for _, s, _ in rows)
        titles = sum(language_of(t) not in (None, "en") for _, _, t in rows)
        write(f"| {len(rows)} in {name} | {sentences} | {titles} |")


if __name__ == "__main__":
    main()
