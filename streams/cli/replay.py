"""`headgate replay`: decide again on what was decided, without touching it."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from streams.cli.corrections import print_corrections, send_agreed
from streams.cli.replay_report import print_summary
from streams.cli.terminal import complain, progress_console, write_json
from streams.errors import HeadgateError, StartError
from streams.logs import set_up_logs
from streams.settings import load_settings

if TYPE_CHECKING:
    from streams.replaying.request import Request
    from streams.replaying.running import Run

INTERRUPTED = 130  # As a shell counts Ctrl-C.


def replay(
    start: Annotated[
        str,
        typer.Option(
            "--from", help="beginning, an offset, or a time (ISO 8601 with zone)."
        ),
    ] = "beginning",
    end: Annotated[
        str, typer.Option("--to", help="end, an offset, or a time; not included.")
    ] = "end",
    from_stage: Annotated[
        Literal["signals", "ingested"],
        typer.Option(
            help="Begin with the recorded signals, or understand each upload again "
            "(loads the models, fetches the media)."
        ),
    ] = "signals",
    policy: Annotated[
        Path | None, typer.Option(help="What-if: judge all by this policy.")
    ] = None,
    heads: Annotated[
        Path | None, typer.Option(help="What-if: judge all with this risk head.")
    ] = None,
    uploader: Annotated[
        str | None, typer.Option(help="Only this uploader's uploads.")
    ] = None,
    content: Annotated[str | None, typer.Option(help="Only this content.")] = None,
    known_policy: Annotated[
        list[Path] | None,
        typer.Option(help="A policy that was live then; may be given again."),
    ] = None,
    known_heads: Annotated[
        list[Path] | None,
        typer.Option(help="A risk head that was live then; may be given again."),
    ] = None,
    capture: Annotated[
        Path | None,
        typer.Option(help="Replay this file of `headgate capture`; needs no broker."),
    ] = None,
    snapshot: Annotated[
        Path | None,
        typer.Option(
            help="Begin with the histories of this earlier replay (its --out)."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results; an unfinished replay in it goes on. Default: "
            "replay-ID."
        ),
    ] = None,
    topic: Annotated[
        bool,
        typer.Option("--topic", help="Write decisions to the topic replay.ID too."),
    ] = False,
    parquet: Annotated[
        bool, typer.Option("--parquet", help="Write decisions.parquet too.")
    ] = False,
    apply: Annotated[
        bool,
        typer.Option(
            "--apply", help="What-if: write a manifest of the changed decisions too."
        ),
    ] = False,
    yes: Annotated[
        str | None,
        typer.Option(
            metavar="SHA256",
            help="With --apply: send what the manifest in --out says, which has this "
            "hash (12 digits will do).",
        ),
    ] = None,
    per_second: Annotated[
        float, typer.Option(min=0.1, help="Send so many decisions a second, at most.")
    ] = 100.0,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Default: as many as processors.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as one JSON object.")
    ] = False,
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
    where nothing newer was.

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
        known_policies=tuple(str(p.resolve()) for p in known_policy or ()),
        known_heads=tuple(str(p.resolve()) for p in known_heads or ()),
        capture=_absolute(capture),
        snapshot=_absolute(snapshot),
        topic=topic,
    )
    if apply or yes is not None:
        _check_apply(request, apply, out, yes)
    if yes is not None and out is not None:
        _send(request, out, yes, per_second, as_json)
    run = _opened(out, request)
    processes = processes or _processes(request)
    try:
        summary = _go(run, processes, parquet)
    except KeyboardInterrupt:
        complain(f"stopped; the same command with --out {run.folder} goes on")
        raise typer.Exit(INTERRUPTED) from None
    except HeadgateError as error:
        complain(f"{error}; the same command with --out {run.folder} goes on")
        raise typer.Exit(2) from error
    summary = summary | {"out": str(run.folder)}
    if apply:
        summary["manifest"] = _manifest(run)
    write_json(summary) if as_json else print_summary(summary)
    if apply and not as_json:
        print_corrections(summary["manifest"], run.folder)
    raise typer.Exit(0 if summary.get("equal", True) else 1)


def _check_apply(
    request: "Request", apply: bool, out: Path | None, yes: str | None
) -> None:
    """Refuse what can't be applied.

    Raises:
        StartError: it is no what-if of the topics, or there is no dry run to agree to.
    """
    if not apply or (yes is not None and out is None):
        raise StartError("--yes needs --apply and the --out of the dry run")
    if not request.is_what_if or request.capture is not None:
        raise StartError(
            "--apply needs a what-if (--policy, --heads) of the topics: a faithful "
            "replay and a capture have nothing to correct"
        )


def _manifest(run: "Run") -> dict[str, Any]:
    from streams.replaying.applying import flips_to_apply
    from streams.replaying.manifest import write_manifest

    asked = {"replay": asdict(run.request)}
    summary = write_manifest(run.folder, asked, flips_to_apply(run.folder))
    return summary | {"dry_run": True}


def _send(
    request: "Request", folder: Path, yes: str, per_s: float, as_json: bool
) -> NoReturn:
    settings = load_settings()
    set_up_logs("warning", secrets=settings.secrets)
    asked, source = {"replay": asdict(request)}, "/headgate/replay"
    summary = send_agreed(folder, yes, asked, settings, source=source, per_s=per_s)
    write_json(summary) if as_json else print_corrections(summary, folder)
    raise typer.Exit(0 if summary["confirmed"] else 1)


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
