"""`headgate train`: the text model's adapter and the risk head, from labelled data."""

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from streams.cli.terminal import complain, progress_console, write_json
from streams.errors import StartError
from streams.logs import set_up_logs
from streams.settings import load_settings

if TYPE_CHECKING:
    from streams.training.plan import Order


def train(
    data: Annotated[
        Path, typer.Option(help="Folder of the data sets that the model card names.")
    ],
    out: Annotated[Path, typer.Option(help="Folder that the weights are written to.")],
    encoder: Annotated[
        str | None,
        typer.Option(
            help="Text model: a sentence-transformers name or folder; without it "
            "HEADGATE_TEXT_MODEL's."
        ),
    ] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="Trainings at a time, one core each.")
    ] = min(2, os.cpu_count() or 1),
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Passes over the data.", show_default=False),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The written files and hashes, as JSON.")
    ] = False,
) -> None:
    """Train the risk head and an adapter of the text model, and measure them.

    Three times on all but a part of the data, to judge and calibrate on the part, once
    on all, and once without the tweets. The same data, seed and machine give the same
    bytes. Run the result with HEADGATE_TEXT_WEIGHTS=FOLDER and, for another model,
    HEADGATE_TEXT_MODEL. Example:

    headgate train --data ../shared/data --out build/weights --encoder my-model/
    """
    if not (data / "openai_moderation").is_dir():
        raise StartError(
            f"--data {data} has no folder openai_moderation; name the folder of the "
            "data sets (streams/training/datasets.py lists them)"
        )
    settings = load_settings()
    set_up_logs("warning")
    model = encoder or settings.text_model
    _train(data, out, model, settings.allow_download, processes, epochs)
    if as_json:
        manifest = (out / "manifest.json").read_text(encoding="utf-8")
        write_json({"folder": str(out), "sha256": json.loads(manifest)})
    else:
        complain(f"wrote {out}, figures with it; use it with HEADGATE_TEXT_WEIGHTS")


def _train(
    data: Path,
    out: Path,
    model: str,
    allow_download: bool,
    processes: int,
    epochs: int | None,
) -> None:
    # Imported here because they take seconds, and a wrong path should be told at once.
    from encoders.signals import ModelUnavailableError
    from streams.training.fine_tune import Recipe
    from streams.training.plan import Order
    from streams.training.text_risk import run

    recipe = Recipe() if epochs is None else replace(Recipe(), epochs=epochs)
    order = Order(data, out, model, allow_download, processes, recipe)
    with _progress() as bar:
        task = bar.add_task("", total=1.0)
        try:
            run(order, lambda done: bar.update(task, completed=done))
            _keep_scores(order)
        except ModelUnavailableError as error:
            raise StartError(str(error)) from error


def _keep_scores(order: "Order") -> None:
    """Write what the folds' heads say of all that the scorecard asks about."""
    from encoders.text import load_text_encoder
    from streams.evaluation.fold_scores import fold_scores
    from streams.evaluation.out_of_fold import write
    from streams.training.fold_heads import HEAD_FILE, FoldHeads

    encoder = load_text_encoder(
        order.text_model, device="cpu", allow_download=order.allow_download
    )
    heads = FoldHeads(order.folds, order.text_model)
    head_sha256 = hashlib.sha256((order.out / HEAD_FILE).read_bytes()).hexdigest()
    scores = fold_scores(order.data, encoder, heads, head_sha256)
    write(scores, order.out / "out_of_fold.npz")


def _progress() -> Progress:
    return Progress(
        TextColumn("training"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=progress_console(),
        transient=True,
    )
