"""`headgate eval nab`: the series detector on the Numenta Anomaly Benchmark."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.terminal import output_console, progress_console, write_json

if TYPE_CHECKING:
    from streams.nab.running import ProfileScore


def nab(
    folder: Annotated[
        Path,
        typer.Argument(
            help="NAB folder: data/CATEGORY/FILE.csv and combined_windows.json, here "
            "or in labels/.",
            metavar="DIR",
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Where NAB's result files go.", metavar="DIR")
    ] = Path("results"),
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line.")
    ] = False,
) -> None:
    """Score every series of a NAB folder in one pass, and the scores by NAB's rules.

    Writes OUT/headgate/CATEGORY/headgate_FILE.csv with timestamp, value, anomaly_score
    and label, as NAB lays its results out. Each profile takes the one threshold that is
    best on the whole folder, as NAB does: 0 is a detector that never alarms, 100 a
    perfect one. The interval is a bootstrap over series. Example:

    headgate eval nab ../NAB --out /tmp/results
    """
    from streams.nab.corpus import read_corpus
    from streams.nab.results import write_points, write_scores
    from streams.nab.running import bests, detect, evaluate

    corpus, scores = [], []
    with progress_console().status("reading") as status:
        for series in read_corpus(folder):
            status.update(f"{series.truth.name}: {series.truth.points} points")
            corpus.append(series)
            scores.append(detect(series))
            write_points(out, series, scores[-1])
    found = evaluate(corpus, scores)
    write_scores(out, corpus, scores, bests(found))
    windows = sum(len(series.truth.windows) for series in corpus)
    if as_json:
        _write_lines(found, len(corpus), windows)
    else:
        _print_table(found, f"{len(corpus)} series, {windows} windows; {out}")


def _write_lines(found: "dict[str, ProfileScore]", series: int, windows: int) -> None:
    for one in found.values():
        write_json(
            {
                "profile": one.profile,
                "score": round(one.score, 2),
                "interval_95": [round(one.low, 2), round(one.high, 2)],
                "threshold": one.threshold,
                "series": series,
                "windows": windows,
            }
        )


def _print_table(found: "dict[str, ProfileScore]", title: str) -> None:
    from rich.table import Table

    from streams.nab.running import PUBLISHED

    table = Table("detector", *found, title=title, title_justify="left")
    ours = [
        f"{one.score:.1f} [{one.low:.1f}, {one.high:.1f}]" for one in found.values()
    ]
    table.add_row("headgate", *ours)
    table.add_row("at threshold", *[f"{one.threshold:.4f}" for one in found.values()])
    for name, published in PUBLISHED.items():
        table.add_row(f"{name}, all 58 series", *[f"{one:.1f}" for one in published])
    output_console().print(table)
