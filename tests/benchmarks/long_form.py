"""`python -m tests.benchmarks.long_form`: what does length do to a clean upload?

And does harm still show in a long one? Before is the highest segment's probability,
after is `streams.scorers.long_form`. Its constants were fitted on one half of the
texts; all figures are of the other half, by heads that never saw the text. Takes
minutes: five heads are trained.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console

from encoders.model_files import DEFAULT_TEXT_MODEL
from encoders.text import load_text_encoder
from streams.scorers.long_form import pooled_columns
from streams.settings import default_policy
from streams.training.clean_speech import SECONDS, Segments
from streams.training.episodes import (
    KINDS,
    MINUTES,
    Pool,
    false_positives,
    highest,
    recall,
)
from streams.training.long_form import load_segments, review_thresholds
from streams.wiring import read_policy

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def main() -> None:
    """Print the figures as Markdown."""
    encoder = load_text_encoder(DEFAULT_TEXT_MODEL, device="cpu", allow_download=False)
    report(load_segments(DATA, Path("build"), encoder), Console(width=200).print)


def report(segments: Segments, write: Callable[[str], None]) -> None:
    """Write false positives by length, by category, and what is still found."""
    limits = review_thresholds(read_policy(default_policy()), segments.categories)

    def pool(table: np.ndarray, reference: float) -> np.ndarray:
        return pooled_columns(table, segments.categories, reference)

    held = partial(false_positives, segments, thresholds=limits)
    write("Clean episodes held for review, mean of the categories and any of them:\n")
    write(
        "| segments | episodes | minutes | before, mean | after | before, any | after |"
    )
    write("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for form in SECONDS:
        for kind in KINDS:
            for minutes in MINUTES:
                before, after = (
                    held(pool=one, form=form, kind=kind, minutes=minutes)
                    for one in (highest, pool)
                )
                write(
                    f"| {form} | {kind} | {minutes} | {before.mean} | {after.mean} | "
                    f"{before.any} | {after.any} |"
                )
    _by_category(segments, partial(held, form="short", kind="mixed"), pool, write)
    write("\nEpisodes with bad segments among clean ones, held for that category:\n")
    write(f"| bad of all | | {' | '.join(c.lower() for c in segments.categories)} |")
    write(f"| --- | --- |{' ---: |' * len(segments.categories)}")
    for of in (100, 1000):
        for bad in (1, 3, 10):
            for name, one in (("before", highest), ("after", pool)):
                found = recall(segments, one, limits, bad=bad, of=of)
                cells = [str(found.get(c, "–")) for c in segments.categories]
                write(f"| {bad} of {of} | {name} | {' | '.join(cells)} |")


def _by_category(
    segments: Segments, held: Callable, pool: Pool, write: Callable[[str], None]
) -> None:
    write("\nThe same by category, short segments, mixed episodes:\n")
    write("| category | 1 min | 180 min, before | 180 min, after |")
    write("| --- | ---: | ---: | ---: |")
    short, before, after = (
        held(pool=one, minutes=minutes).by_category
        for one, minutes in ((pool, 1), (highest, 180), (pool, 180))
    )
    for category in segments.categories:
        cells = (short[category], before[category], after[category])
        write(f"| {category.lower()} | {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
