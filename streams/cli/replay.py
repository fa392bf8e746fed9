"""`headgate replay`: decide again on what was decided, without touching it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from streams.cli.corrections import print_corrections
from streams.cli.replay_apply import check_apply, send_manifest, write_dry_run
from streams.cli.replay_options import (
    End,
    JsonSummary,
    KnownHeads,
    KnownPolicy,
    PerSecond,
    Start,
    Uploader,
    resolved,
)
from streams.cli.replay_report import print_summary
from streams.cli.terminal import complain, progress_console, write_json
from streams.errors import HeadgateError
from streams.logs import set_up_logs
from streams.settings import load_settings

if TYPE_CHECKING:
    from streams.replaying.request import Request
    from streams.replaying.running import Run

INTERRUPTED = 130  # As a shell counts Ctrl-C.

FromStage = Annotated[
    Literal["signals", "ingested"],
    typer.Option(
        help="Begin with the recorded signals, or understand each upload again "
        "(loads the models, fetches the media)."
    ),
]
WhatIfPolicy = Annotated[
    Path | None, typer.Option(help="What-if: judge all by this policy.")
]
WhatIfHeads = Annotated[
    Path | None, typer.Option(help="What-if: judge all with this risk head.")
]
Content = Annotated[str | None, typer.Option(help="Only this content.")]
Capture = Annotated[
    Path | None,
    typer.Option(help="Replay this file of `headgate capture`; needs no broker."),
]
Snapshot = Annotated[
    Path | None,
    typer.Option(help="Begin with the histories of this earlier replay (its --out)."),
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the results; an unfinished replay in it goes on. Default: "
        "replay-ID."
    ),
]
ToTopic = Annotated[
    bool, typer.Option("--topic", help="Write decisions to the topic replay.ID too.")
]
Parquet = Annotated[
    bool, typer.Option("--parquet", help="Write decisions.parquet too.")
]
Apply = Annotated[
    bool,
    typer.Option(
        "--apply", help="What-if: write a manifest of the changed decisions too."
    ),
]
Yes = Annotated[
    str | None,
    typer.Option(
        metavar="SHA256",
        help="With --apply: send what the manifest in --out says, which has this "
        "hash (12 digits will do).",
    ),
]
Processes = Annotated[
    int | None, typer.Option(min=1, help="Default: as many as processors.")
]


def replay(
    start: Start = "beginning",
    end: End = "end",
    from_stage: FromStage = "signals",
    policy: WhatIfPolicy = None,
    heads: WhatIfHeads = None,
    uploader: Uploader = None,
    content: Content = None,
    known_policy: KnownPolicy = None,
    known_heads: KnownHeads = None,
    capture: Capture = None,
    snapshot: Snapshot = None,
    out: Out = None,
    topic: ToTopic = False,
    parquet: Parquet = False,
    apply: Apply = False,
    yes: Yes = None,
    per_second: PerSecond = 100.0,
    processes: Processes = None,
    as_json: JsonSummary = False,
) -> None:
    """Judge recorded signals again, outside any consumer group.

    Without --policy and --heads each upload is judged by the policy and risk head that
    decided then (looked for beside HEADGATE_POLICY, and in --known-policy and
    --known-heads), and the decisions are compared byte by byte. With them all are
    judged by the candidate, and who flipped is told.

    Writes nothing but --out (decisions.jsonl, flips.jsonl, summary.json, report.html)
    and, with --topic, replay.ID. Ctrl-C stops it; the same command with the same --out
    goes on.

    With --apply a what-if leaves a manifest of the decisions that it would change;
    the same command with --out and --yes sends them, each superseding what was decided,
    where nothing newer was. They are under the policy's brakes: what its rules may not
    do by themselves in this hour, on top of what they did, goes to review and names the
    brake. On a finished replay in --out --apply alone makes the manifest anew.

    Exit codes: 0 equal, or a what-if is done; 1 a faithful replay found differences, or
    not all was confirmed; 2 could not start; 130 stopped. Examples:

    headgate replay --from 2026-11-02T14:00:00Z --to 2026-11-02T15:00:00Z

    headgate replay --policy candidate.yaml --out what-if --json

    headgate replay --policy candidate.yaml --apply --out what-if --yes 3f5a0c2b9d10
    """
    from streams.replaying.request import Request

    request = Request(
        start=start,
        end=end,
        from_stage=from_stage,
        policy=_absolute(policy),
        heads=_absolute(heads),
        uploader=uploader,
        content=content,
        known_policies=resolved(known_policy),
        known_heads=resolved(known_heads),
        capture=_absolute(capture),
        snapshot=_absolute(snapshot),
        topic=topic,
    )
    check_apply(request, apply, out, yes)
    if yes is not None and out is not None:
        send_manifest(request, out, yes, per_second, as_json)
    summary = _finished(out, request) if apply else None
    if summary is None:
        summary = _replayed(out, request, processes, parquet)
    _show(summary, request, apply, as_json)
    raise typer.Exit(0 if summary.get("equal", True) else 1)


def _finished(out: Path | None, request: "Request") -> dict[str, Any] | None:
    """Return what this same replay came to before, for its manifest to be made anew."""
    from streams.replaying.running import finished

    found = None if out is None else finished(out, request)
    return None if found is None else found | {"out": str(out)}


def _replayed(
    out: Path | None, request: "Request", processes: int | None, parquet: bool
) -> dict[str, Any]:
    run = _opened(out, request)
    try:
        summary = _go(run, processes or _processes(request), parquet)
    except KeyboardInterrupt:
        complain(f"stopped; the same command with --out {run.folder} goes on")
        raise typer.Exit(INTERRUPTED) from None
    except HeadgateError as error:
        complain(f"{error}; the same command with --out {run.folder} goes on")
        raise typer.Exit(2) from error
    return summary | {"out": str(run.folder)}


def _show(
    summary: dict[str, Any], request: "Request", apply: bool, as_json: bool
) -> None:
    """Show what it came to; where it is to be applied, with the manifest."""
    folder = Path(summary["out"])
    if apply:
        manifest = write_dry_run(folder, request, load_settings())
        summary = summary | {"manifest": manifest}
    write_json(summary) if as_json else print_summary(summary)
    if apply and not as_json:
        print_corrections(summary["manifest"], folder)


def _opened(out: Path | None, request: "Request") -> "Run":
    settings = load_settings()
    set_up_logs("warning", secrets=settings.secrets)
    with progress_console().status("looking what there is"):
        from streams.replaying.running import open_run
        from streams.wiring import build_codec

        return open_run(out, request, settings, build_codec(settings))


def _go(run: "Run", processes: int, parquet: bool) -> dict[str, Any]:
    with Progress(
        TextColumn("replaying"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=progress_console(),
        transient=True,
    ) as progress:
        bar = progress.add_task("replaying", total=run.records)
        return run.go(
            processes, lambda records: progress.advance(bar, records), parquet=parquet
        )


def _processes(request: "Request") -> int:
    """Return how many processes: one where each would load the models."""
    if request.from_stage == "ingested":
        return 1
    return len(os.sched_getaffinity(0))


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())
