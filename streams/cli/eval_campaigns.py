"""`headgate eval campaigns`: how well campaigns are found, and how soon."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer
from numpy.typing import NDArray
from rich.table import Table

from streams.campaigns import Campaigns
from streams.cli.terminal import output_console, progress_console, write_json
from streams.evaluation.campaign_figures import (
    WINDOW_MS,
    Interval,
    Outcome,
    figures,
    watch,
)
from streams.evaluation.campaign_traffic import Embed, as_signals
from streams.evaluation.made_campaigns import traffic
from streams.evaluation.youtube_comments import (
    comment_signals,
    ordinary_before,
    read_comments,
)
from streams.settings import load_settings
from streams.training.embed import embed_cached

SEED: Final = 401  # Bounds were chosen on 1 to 12, and the tuning messages.
YOUTUBE_WINDOW_MS: Final = 90 * 86_400_000  # Three videos' comments of two years.
TARGETS: Final = {
    "precision": ">= 0.95",
    "recall": ">= 0.90",
    "found_within_8": ">= 0.50",
    "uploads_per_s": ">= 2000",
}


def campaigns(
    uploads: Annotated[
        int,
        typer.Option(
            min=1000, max=1_000_000, help="Uploads to make; 2 % are in campaigns."
        ),
    ] = 100_000,
    seed: Annotated[
        list[int] | None,
        typer.Option(
            help="Seed of the traffic, 401 if none is named; of several, as many "
            "uploads are made of each, and the figures are of all together."
        ),
    ] = None,
    tuning: Annotated[
        bool,
        typer.Option(
            "--tuning", help="Use the messages that bounds are chosen on, not the rest."
        ),
    ] = False,
    youtube: Annotated[
        Path | None,
        typer.Option(help="Folder of the YouTube spam; its figures are added."),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder where embeddings are kept.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object.")
    ] = False,
) -> None:
    """Make labelled traffic, look for campaigns in it, and say what was found.

    Precision and recall are of uploads; intervals are of a bootstrap over campaigns.
    Exit code 1 when a target is missed. Example:

    headgate eval campaigns --uploads 20000 --seed 7 --cache build/embeddings
    """
    embed, seeds = _embedding(cache), seed or [SEED]
    found = {"seeds": seeds, **_on_traffic(uploads, seeds, tuning, embed)}
    if youtube is not None:
        found["youtube"] = _on_youtube(youtube, seeds[0], embed)
    if as_json:
        write_json(_plain(found))
    else:
        _print(found)
    raise typer.Exit(0 if _reached(found) else 1)


def _embedding(cache: Path | None) -> Embed:
    """Return the text model, loaded when the first text comes."""
    from streams.wiring import build_text_encoder

    encoder = build_text_encoder(load_settings())

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        with progress_console().status(f"embedding {len(texts):,} texts"):
            if cache is None:
                return encoder.embed(texts)
            return embed_cached(texts, encoder.embed, encoder.model.sha256, cache)

    return embed


def _on_traffic(
    uploads: int, seeds: Sequence[int], tuning: bool, embed: Embed
) -> dict[str, object]:
    outcome = Outcome()
    labels: list[int | None] = []
    kinds: list[str] = []
    for number, seed in enumerate(seeds):
        made = traffic(seed, uploads, "tuning" if tuning else "report")
        finder = Campaigns(window_ms=WINDOW_MS, most_uploads=200_000, most_members=1000)
        with progress_console().status(f"watching {uploads:,} uploads of seed {seed}"):
            outcome.extend(watch(finder, as_signals(made, embed)))
        first = number * uploads  # More than a stream has campaigns.
        labels += [None if u.campaign is None else first + u.campaign for u in made]
        kinds += [u.kind for u in made]
    return figures(outcome, labels, kinds)


def _on_youtube(folder: Path, seed: int, embed: Embed) -> dict[str, object]:
    """Return precision and recall against the label spam, of all comments."""
    comments = read_comments(folder)
    finder = Campaigns(
        window_ms=YOUTUBE_WINDOW_MS, most_uploads=20_000, most_members=1000
    )
    watch(finder, ordinary_before(comments, seed))
    outcome = watch(finder, comment_signals(comments, embed))
    spam = np.array([comment.is_spam for comment in comments])
    told = np.array([found is not None for found in outcome.found])
    hits = int((spam & told).sum())
    return {
        "comments": len(comments),
        "spam": int(spam.sum()),
        "told": int(told.sum()),
        "precision": hits / int(told.sum()) if told.any() else math.nan,
        "recall": hits / max(int(spam.sum()), 1),
        "campaigns": len(set(outcome.found) - {None}),
    }


def _reached(found: Mapping[str, Any]) -> bool:
    values = {name: _value(found[name]) for name in TARGETS}
    return all(values[n] >= float(t.split()[1]) for n, t in TARGETS.items())


def _value(figure: object) -> float:
    return figure.value if isinstance(figure, Interval) else float(figure)  # type: ignore[arg-type]


def _plain(found: Mapping[str, object]) -> dict[str, object]:
    """Return figures as JSON can hold them: what is not finite is null."""

    def plain(figure: object) -> object:
        if isinstance(figure, Interval):
            return _plain(asdict(figure))
        if isinstance(figure, Mapping):
            return _plain(figure)
        is_odd = isinstance(figure, float) and not math.isfinite(figure)
        return None if is_odd else figure

    return {name: plain(figure) for name, figure in found.items()}


def _print(found: Mapping[str, object]) -> None:
    table = Table("figure", "value", "target")
    for name, figure in found.items():
        if isinstance(figure, Interval):
            text = f"{figure.value:.3f} ({figure.low:.3f}–{figure.high:.3f})"
        elif isinstance(figure, Mapping):
            text = ", ".join(
                f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}"
                for k, v in figure.items()
            )
        else:
            text = f"{figure:,.4g}" if isinstance(figure, float) else str(figure)
        table.add_row(name, text, TARGETS.get(name, ""))
    output_console().print(table)
