"""`headgate eval text`: the shipped scores on labelled texts of one's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column, Table

from streams.cli.eval_report import interval_text, value_text
from streams.cli.terminal import output_console, progress_console, write_json
from streams.errors import StartError
from streams.logs import set_up_logs
from streams.settings import Settings, load_settings

if TYPE_CHECKING:
    from streams.evaluation.figures import Figure
    from streams.evaluation.pipeline_scores import PipelineScores
    from streams.evaluation.text_file import LabelColumn, LabelledTexts

_LEFT_OUT = {
    "unscored": "empty, or surely in a language that the head does not read",
    "trained_on": "the head was trained on them",
}


def text(
    file: Annotated[
        Path, typer.Argument(help="Labelled texts: .jsonl, or CSV with a header.")
    ],
    label: Annotated[
        list[str],
        typer.Option(
            help="CATEGORY=COLUMN, as in hate=is_hateful; any=COLUMN labels no "
            "category in particular. May be given again."
        ),
    ],
    text_column: Annotated[str, typer.Option(help="Column of the text.")] = "text",
    slices: Annotated[
        list[str] | None,
        typer.Option("--slice", help="Also measure each value of this column."),
    ] = None,
    positive: Annotated[
        list[str] | None,
        typer.Option(help="A word in label columns that means yes, beside 1."),
    ] = None,
    negative: Annotated[
        list[str] | None, typer.Option(help="One that means no, beside 0.")
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(help="Folder profanity_check_linear, to measure it beside."),
    ] = None,
    out_of_fold: Annotated[
        Path,
        typer.Option(
            help="Out-of-fold scores of `make train`, if they are there: rows that the "
            "head was trained on are known by them, and left out."
        ),
    ] = Path("build/out-of-fold.npz"),
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each measure.")
    ] = False,
) -> None:
    """Score labelled texts as `assess` does, and say how good the scores are.

    Prints average precision, AUC, precision and recall where 1 % and 0.1 % of
    negatives are flagged, and ECE (at the file's own share of positives, and at the
    5 % that probabilities refer to), with 95 % intervals over clusters of near copies.
    A missing label (an empty cell, null, an absent key) is unknown. Example:

    headgate eval text posts.csv --label hate=hateful --slice language
    """
    settings = load_settings()
    set_up_logs("warning")
    columns = _columns(label)
    from streams.evaluation.labelled_file import LabelWords, read_rows
    from streams.evaluation.linear_baseline import read_linear_baseline
    from streams.evaluation.text_file import figures, gather, scored

    words = LabelWords(positive or (), negative or ())
    data = gather(read_rows(file), text_column, columns, slices or (), words)
    data, left_out = _unseen(data, out_of_fold)
    if not data.texts:
        raise StartError(
            f"{file} has no rows to measure ({left_out} were trained on); expected "
            "texts with labels"
        )
    try:
        linear = None if baseline is None else read_linear_baseline(baseline)
    except OSError as error:
        raise StartError(f"{baseline} can't be read: {error.strerror}") from error
    with progress_console().status("loading the text model"):
        pipeline = _pipeline(settings)
    with _progress() as progress:
        task = progress.add_task("scored", total=len(data.texts))
        table = scored(data.texts, pipeline, lambda n: progress.advance(task, n))
    found = figures(data, columns, table, pipeline.categories, linear)
    unscored = int((table != table).all(axis=1).sum())
    _show(found, {"unscored": unscored, "trained_on": left_out}, as_json)


def _unseen(data: "LabelledTexts", path: Path) -> tuple["LabelledTexts", int]:
    """Leave out what the head was trained on, and say how many that were."""
    from streams.evaluation.out_of_fold import read
    from streams.evaluation.text_file import trained_on

    if not path.exists():
        return data, 0
    seen = trained_on(data.texts, read(path))
    return data.without(seen), int(seen.sum())


def _columns(labels: Sequence[str]) -> list["LabelColumn"]:
    from streams.evaluation.text_file import ANY, LabelColumn
    from streams.training.examples import COVERED

    known = [ANY, *(category.lower() for category in COVERED)]
    columns = []
    for text in labels:
        subject, sign, column = text.partition("=")
        if not sign or not column or subject not in known:
            raise StartError(
                f"--label {text!r}; expected CATEGORY=COLUMN with one of "
                f"{', '.join(known)}"
            )
        columns.append(LabelColumn(subject, column))
    return columns


def _pipeline(settings: Settings) -> "PipelineScores":
    from datetime import timedelta

    from encoders.media_format import MediaLimits
    from encoders.media_reader import InProcessReader
    from streams.evaluation.pipeline_scores import PipelineScores
    from streams.training.examples import COVERED
    from streams.understand import Understanding
    from streams.wiring import build_judge, build_text_encoder

    # There are no media here, so nothing is ever decoded.
    reader = InProcessReader(MediaLimits(max_bytes=0, max_s=0.0))
    skew = timedelta(seconds=settings.event_max_skew_s)
    understanding = Understanding(build_text_encoder(settings), (), reader, skew)
    return PipelineScores(understanding, build_judge(settings, understanding), COVERED)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=progress_console(),
        transient=True,
    )


def _show(
    found: Sequence["Figure"], left_out: Mapping[str, int], as_json: bool
) -> None:
    if as_json:
        from streams.evaluation.scorecard import figure_json

        for figure in found:
            write_json({**figure_json(figure), **left_out})
        return
    console = output_console()
    console.print(_table(found))
    for name, why in _LEFT_OUT.items():
        if left_out[name]:
            console.print(f"left out: {left_out[name]} ({why})")


def _table(found: Sequence["Figure"]) -> Table:
    names = list(dict.fromkeys(figure.name for figure in found))
    table = Table(Column("label"), Column("rows", justify="right"), *names)
    by_subject: dict[str, list[Figure]] = {}
    for figure in found:
        by_subject.setdefault(figure.subject, []).append(figure)
    for subject, row in by_subject.items():
        size = f"{row[0].n:,}\n{row[0].positives:,} positive"
        table.add_row(subject, size, *(_cell(figure) for figure in row))
    return table


def _cell(figure: "Figure") -> str:
    beside = "".join(f"\n{o.name} {o.value:.3f}" for o in figure.against)
    return f"{value_text(figure)}\n{interval_text(figure)}{beside}"
