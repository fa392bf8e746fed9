"""`headgate reverse`: put right what one version of a rule decided."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.corrections import print_corrections, send_agreed
from streams.cli.replay_options import JsonSummary, PerSecond
from streams.cli.terminal import progress_console, write_json
from streams.cli.times import parse_time
from streams.errors import StartError
from streams.logs import set_up_logs
from streams.settings import Settings, load_settings

if TYPE_CHECKING:
    from streams.replaying.reversing import Reversed


DecidedBy = Annotated[
    list[Path] | None,
    typer.Option(
        help="The policy that decided, where it isn't beside HEADGATE_POLICY; may be "
        "given again."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder of the manifest. Default: reverse-RULE-VERSION."),
]
Yes = Annotated[
    str | None,
    typer.Option(
        metavar="SHA256",
        help="Send what the manifest in --out says, which has this hash (12 digits "
        "will do). Without it nothing is sent.",
    ),
]


def reverse(
    rule: Annotated[
        str, typer.Option(help="The rule's id, as decisions list it: hate.block.")
    ],
    version: Annotated[str, typer.Option(help="The version of its policy.")],
    start: Annotated[
        str, typer.Option("--from", help="Decided from this time on (ISO 8601, zone).")
    ],
    end: Annotated[str, typer.Option("--to", help="Decided before this time.")],
    policy_id: Annotated[
        str | None, typer.Option(help="Only of the policy of this id.")
    ] = None,
    known_policy: DecidedBy = None,
    out: Out = None,
    yes: Yes = None,
    per_second: PerSecond = 100.0,
    as_json: JsonSummary = False,
) -> None:
    """Correct what a rule decided: a dry run that writes a manifest, then --yes.

    Of the final decisions in which the rule won, and that are still the latest word on
    their content, each gets a decision that supersedes it: what the other rules say, by
    the policy's file; where the records can't tell, review. Sent again it sends nothing
    new, and what was decided since the dry run is left alone.

    Exit codes: 0 done; 1 not all were confirmed; 2 could not start. Examples:

    headgate reverse --rule hate.block --version 7 --from 2026-11-02T14:00:00Z --to
    2026-11-02T15:00:00Z --out undo

    … the same with --yes 3f5a0c2b9d10, the hash that the dry run printed.
    """
    asked = _asked(rule, version, start, end, policy_id)
    settings = load_settings()
    set_up_logs("warning", secrets=settings.secrets)
    folder = out or Path(f"reverse-{_as_name(rule)}-{_as_name(version)}")
    if yes is None:
        summary = _dry_run(folder, asked, settings, known_policy or ())
    else:
        source, json_of_it = "/headgate/reverse", asked.to_json()
        summary = send_agreed(
            folder, yes, json_of_it, settings, source=source, per_s=per_second
        )
    summary |= {"out": str(folder)}
    write_json(summary) if as_json else print_corrections(summary, folder)
    raise typer.Exit(0 if summary.get("confirmed", True) else 1)


def _asked(
    rule: str, version: str, start: str, end: str, policy_id: str | None
) -> "Reversed":
    """Return what is to be reversed.

    Raises:
        StartError: a time can't be read, or they are the wrong way round.
    """
    from streams.replaying.reversing import Reversed

    first, last = parse_time(start, "--from"), parse_time(end, "--to")
    if first >= last:
        raise StartError(f"--from {start} is not before --to {end}")
    return Reversed(rule, version, first.isoformat(), last.isoformat(), policy_id)


def _dry_run(
    folder: Path, asked: "Reversed", settings: Settings, known: Sequence[Path]
) -> dict[str, Any]:
    from streams.replaying.here import policies_here
    from streams.replaying.manifest import write_manifest
    from streams.replaying.reversing import corrections, find
    from streams.wiring import build_codec

    here = policies_here(settings, [str(path) for path in known])
    policies = {policy.sha256: policy for policy in here}
    with progress_console().status("reading decisions"):
        found = find(settings.kafka, build_codec(settings), asked)
    made = corrections(found, asked.rule, policies)
    summary = write_manifest(folder, asked.to_json(), made)
    left = {"left": dict(found.left), "unreadable": found.unreadable}
    return summary | left | {"dry_run": True}


def _as_name(text: str) -> str:
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in text).strip(".")
