"""`headgate eval`: the scorecard, and its parts on data of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.eval_campaigns import campaigns
from streams.cli.eval_nab import nab
from streams.cli.eval_text import text
from streams.cli.terminal import output_console, progress_console, write_json
from streams.errors import StartError
from streams.logs import set_up_logs
from streams.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.evaluation.scorecard import Measured, Scorecard

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
# Other measures of one's own data have files beside `eval_text` and are added here.
app.command("text")(text)
app.command("nab")(nab)
app.command("campaigns")(campaigns)

_OUT_OF_FOLD = Path(__file__).parents[1] / "scorers" / "weights" / "out_of_fold.npz"


@app.callback()
def scorecard(
    context: typer.Context,
    data: Annotated[Path, typer.Option(help="Folder of the shared data sets.")] = Path(
        "../shared/data"
    ),
    out_of_fold: Annotated[
        Path,
        typer.Option(
            help="Scores by heads that never saw the text; `headgate train` makes them."
        ),
    ] = _OUT_OF_FOLD,
    json_out: Annotated[
        Path, typer.Option("--out", help="Where the figures are written.")
    ] = Path("scorecard.json"),
    page_out: Annotated[
        Path, typer.Option("--page", help="Where the page is written.")
    ] = Path("scorecard.html"),
    nab_folder: Annotated[
        Path | None, typer.Option("--nab", help="NAB's folder. Default: DATA/nab.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--section", help="Only these; may be given again."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print scorecard.json instead of a table.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1 when a target is missed.")
    ] = False,
) -> None:
    """Measure everything and write scorecard.json and scorecard.html.

    Figures of text are out of fold: no head judges a text, or a near copy, that it was
    trained on. Example:

    headgate eval --data ../shared/data
    """
    if context.invoked_subcommand is not None:
        return
    settings = load_settings()
    set_up_logs("warning")
    from streams.cli.eval_report import scorecard_table, write_scorecard
    from streams.evaluation.scorecard import as_json as plain

    nab_data = nab_folder or data / "nab"
    with progress_console().status("reading the data") as status:
        card = _measured(
            settings,
            data,
            out_of_fold,
            nab_data,
            only or [],
            lambda t: status.update(t),
        )
    write_scorecard(card, json_out, page_out)
    if as_json:
        write_json(plain(card))
    else:
        output_console().print(scorecard_table(card))
        output_console().print(f"wrote {json_out} and {page_out}")
    missed = any(not figure.is_met for _, figure in card.targets())
    raise typer.Exit(1 if strict and missed else 0)


def _measured(
    settings: Settings,
    data: Path,
    out_of_fold: Path,
    nab: Path,
    only: "Sequence[str]",
    told: "Callable[[str], None]",
) -> "Scorecard":
    from streams.evaluation.out_of_fold import read
    from streams.evaluation.scorecard import Scorecard, measured
    from streams.evaluation.scored_rows import load_inputs, pool_of
    from streams.training.fold_heads import judged_rows
    from streams.wiring import build_text_encoder, build_text_risk, read_policy

    sections = _chosen(only)
    policy = read_policy(settings.policy)
    shipped = build_text_risk().models[0].sha256
    try:
        encoder = build_text_encoder(settings)
        told("clustering the rows")
        examples = judged_rows(data, encoder).examples
        scores = read(out_of_fold)
        inputs = load_inputs(
            *(examples, scores, policy, data, nab),
            pool=pool_of(scores),
            embed=encoder.embed,
        )
    except OSError as error:
        raise StartError(
            f"{error.filename} can't be read ({error.strerror}); name the folder of "
            "the shared data sets with --data"
        ) from error
    return Scorecard(
        measured(sections, inputs, told),
        scores.made_by,
        scores.head_sha256,
        shipped,
        f"{policy.id} {policy.version} ({policy.sha256[:12]})",
    )


def _chosen(only: "Sequence[str]") -> "Sequence[Measured]":
    from streams.evaluation.sections import SECTIONS

    names = [key for key, _, _ in SECTIONS]
    for name in only:
        if name not in names:
            raise StartError(
                f"section {name!r} is not one of ours; expected {', '.join(names)}"
            )
    return [row for row in SECTIONS if not only or row[0] in only]
