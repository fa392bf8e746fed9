"""`headgate why`: the whole story of one upload."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from streams.cli.terminal import complain, output_console, progress_console, write_json
from streams.logs import set_up_logs
from streams.settings import load_settings


def why(
    content_id: Annotated[str, typer.Argument(help="The upload's content_id.")],
    known_policy: Annotated[
        list[Path] | None,
        typer.Option(help="A policy that was live then; may be given again."),
    ] = None,
    known_heads: Annotated[
        list[Path] | None,
        typer.Option(help="A risk head that was live then; may be given again."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each judgement.")
    ] = False,
) -> None:
    """Tell why an upload was decided as it was, and what would decide otherwise now.

    Each judgement on it (provisional, final, of a sweep, of each revision): what was
    found and missing, the scores with their evidence, the clause that fired, the
    uploader's history at that moment, the policy and models then, and today's word on
    the same. Reads outside any consumer group.

    Exit code 1 when a judgement can't be repeated byte for byte; it says why. Example:

    headgate why trk-4711 --json
    """
    settings = load_settings()
    set_up_logs("warning", secrets=settings.secrets)
    with progress_console().status("reading what the uploader did"):
        from streams.replaying.asking import ask_why
        from streams.replaying.request import Request
        from streams.wiring import build_codec

        request = Request(
            content=content_id,
            known_policies=tuple(str(p.resolve()) for p in known_policy or ()),
            known_heads=tuple(str(p.resolve()) for p in known_heads or ()),
        )
        plan, stories = ask_why(content_id, request, settings, build_codec(settings))
    if plan.cut:
        complain(plan.told())
    console = output_console()
    for story in stories:
        write_json(story) if as_json else _print(console, story)
    if not stories:
        complain(f"the signals of content {content_id!r} are gone; only decisions stay")
    equal = all(story["result"] in ("same", "again", "old") for story in stories)
    raise typer.Exit(0 if stories and equal else 1)


def _print(console: Console, story: Mapping[str, Any]) -> None:
    event, history, decision = story["event"], story["history"], story["decision"]
    when = datetime.fromtimestamp(story["time_ms"] / 1000, UTC)
    place = f"partition {story['partition']}, offset {story['offset']}"
    console.print(
        f"{event['content_id']} revision {event['revision']}, {event['kind']} of "
        f"{event['uploader_id']}: {story['stage']} signals of "
        f"{when:%Y-%m-%d %H:%M:%S}Z at {place}",
        markup=False,
    )
    _line(console, "found", ", ".join(_found(story["found"])) or "nothing")
    for signal, reason in story["missing"]:
        _line(console, "missing", f"{signal}: {reason}")
    _line(
        console,
        "history",
        f"{history['uploads']} uploads since {history['first_seen'] or 'never'}, "
        f"{history['remembered']} remembered",
    )
    if decision is not None:
        _print_decision(console, decision)
    told = story["reason"] or "the same bytes"
    _line(console, "replayed", f"{story['result']}: {told}")
    if story["today"] is not None:
        _print_today(console, story["today"])


def _print_decision(console: Console, decision: Mapping[str, Any]) -> None:
    policy = decision["policy"]
    _line(
        console,
        "policy",
        f"{policy['id']} version {policy['version']} ({policy['sha256'][:12]}…)",
    )
    for model in decision["models"]:
        told = f"{model['role']} {model['name']} ({model['sha256'][:12]}…)"
        _line(console, "model", told)
    scores = sorted(
        decision["categories"].items(), key=lambda score: -score[1]["probability"]
    )
    for name, score in scores:
        _line(console, "score", f"{name} {score['probability']:.4f}")
        for evidence in score["evidence"]:
            _line(console, "", f"  {evidence['source']}: {evidence['reason']}")
    for anomaly in decision["anomalies"]:
        told = f"{anomaly['name']} {anomaly['value']:.4f}: {anomaly['reason']}"
        _line(console, "score", told)
    action, clause = decision["action"], decision["clause"]
    provisional = ", provisional" if decision["provisional"] else ""
    _line(console, "decided", f"{action} by {clause}{provisional}")


def _print_today(console: Console, today: Mapping[str, Any]) -> None:
    verdict = "another action" if today["changes"] else "the same action"
    told = f"{today['action']} by {today['clause']}: {verdict}"
    if today["differs_in"]:
        told += f"; differs in {', '.join(today['differs_in'])}"
    _line(console, "today", told)


def _found(found: Mapping[str, Any]) -> list[str]:
    texts = [f"{name} ({count} texts)" for name, count in found["texts"].items()]
    rest = [f"{len(v)} {name}" for name, v in found.items() if name != "texts"]
    return texts + rest


def _line(console: Console, name: str, told: str) -> None:
    console.print(f"  {name:9} {told}", markup=False)
