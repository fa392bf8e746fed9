"""`headgate policy`: check, test, explain and compare policies."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import policy_difference_report, policy_report
from streams.cli.policy_active import activate, active
from streams.cli.policy_outcomes import outcomes_of
from streams.cli.terminal import complain, progress_console
from streams.errors import PolicyError
from streams.logs import set_up_logs
from streams.settings import Settings, load_settings

if TYPE_CHECKING:
    from streams.judged_sources import JudgedSource, JudgedSources
    from streams.policy_folder import PolicyFiles

app = typer.Typer(
    help="Check, test, explain, compare and activate policies.", no_args_is_help=True
)
app.command("activate")(activate)
app.command("active")(active)

PolicyPath = Annotated[
    Path | None,
    typer.Argument(
        help="A policy's folder or file. Default: HEADGATE_POLICY, else the one that "
        "comes with Headgate.",
        metavar="[PATH]",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON objects, one a line.")]


@app.command()
def check(path: PolicyPath = None, as_json: AsJson = False) -> None:
    """Read a policy and everything in it; a mistake is shown with its place.

    Checked are the YAML, every name and type, rules that nothing can meet or that
    another always outdoes, and the tests beside the rules, which are read and not run.
    Exit code 1 when something is wrong. Example:

    headgate policy check deploy/policies/default
    """
    files = _files(path)
    try:
        checked = files.checked()
        outcomes = outcomes_of(files, checked.policy)
    except PolicyError as error:
        policy_report.show_error(error, as_json)
        raise typer.Exit(1) from None
    policy_report.show_checked(checked, len(outcomes), as_json)


@app.command("test")
def run_tests(path: PolicyPath = None, as_json: AsJson = False) -> None:
    """Run the tests that stand beside a policy's rules, in its folder tests/.

    Exit code 1 when one fails, or when there is none. Example:

    headgate policy test deploy/policies/default
    """
    files = _files(path)
    try:
        outcomes = outcomes_of(files, files.checked().policy)
    except PolicyError as error:
        policy_report.show_error(error, as_json)
        raise typer.Exit(1) from None
    policy_report.show_outcomes(outcomes, as_json)
    failed = not outcomes or any(outcome.wrong for outcome in outcomes)
    raise typer.Exit(1 if failed else 0)


@app.command("explain")
def explain_events(
    events: Annotated[
        str,
        typer.Argument(
            help="Events (.jsonl), or records of content.signals.v1 that `headgate "
            "tail --raw` wrote, which need no models; - reads standard input.",
            metavar="EVENT",
        ),
    ],
    policy: Annotated[
        Path | None, typer.Option(help="Another policy than HEADGATE_POLICY's.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Show rules that did not fire too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Judge uploads as `assess` does, and show why each rule fired or didn't.

    Uploads of one uploader are judged in order. With --json every rule is in the
    output. Exit code 1 when a line was no event. Examples:

    headgate policy explain event.jsonl --all

    headgate tail content.signals.v1 --raw --from beginning --until-end > signals.jsonl
    headgate policy explain signals.jsonl --policy my-policy
    """
    settings = _settings(policy)
    from streams.policies.explaining import explain
    from streams.wiring import read_maps, read_policy

    judging_policy, maps = read_policy(settings.policy), read_maps()
    bad = 0
    for judged in _judged(settings, events):
        if judged.decision is None or judged.findings is None:
            bad += judged.error is not None
            policy_report.show_unjudged(judged, as_json)
            continue
        explanation = explain(judging_policy, judged.findings)
        policy_report.show_explanation(judged, explanation, maps, every, as_json)
    raise typer.Exit(1 if bad else 0)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="A policy's folder or file.")],
    after: Annotated[Path, typer.Argument(help="The one to compare with it.")],
    signals: Annotated[
        str | None,
        typer.Option(
            help="Also decide on these by both: events or captured signals, as "
            "`explain` takes them."
        ),
    ] = None,
    most: Annotated[
        int, typer.Option(min=0, max=10_000, help="Changed decisions to name.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Show which rules differ between two policies, and which decisions would.

    Uploaders' histories grow as the first policy decides, for both. Exit code 0
    whether or not they differ, 1 when a line of the signals was no event. Example:

    headgate policy diff deploy/policies/default my-policy --signals signals.jsonl
    """
    from streams.policies.differences import Flips, compare
    from streams.wiring import read_policy

    old, new = read_policy(before), read_policy(after)
    flips = Flips() if signals is not None else None
    bad = 0
    if signals is not None and flips is not None:
        for judged in _judged(_settings(before), signals):
            if judged.error is not None:
                bad += 1
                policy_report.show_unjudged(judged, as_json)
            elif judged.decision is not None and judged.findings is not None:
                content_id = judged.decision.content_id
                flips.add(content_id, judged.findings, old, new)
    policy_difference_report.show_differences(
        old, new, compare(old, new), flips, most, as_json
    )
    raise typer.Exit(1 if bad else 0)


def _files(path: Path | None) -> "PolicyFiles":
    from streams.policy_folder import read_policy_files

    setting = "HEADGATE_POLICY" if path is None else ""
    return read_policy_files(path or load_settings().policy, setting)


def _settings(policy: Path | None) -> Settings:
    set_up_logs("warning")
    settings = load_settings()
    root = settings.media_root or Path("/")
    chosen = {"media_root": root, "policy": policy or settings.policy}
    return settings.model_copy(update=chosen)


def _judged(settings: Settings, name: str) -> "Iterator[JudgedSource]":
    """Judge a file's sources, with what a person watching sees."""
    with progress_console().status("judging") as status:
        from streams.event_files import read_sources

        sources = _sources(settings, status.update)
        for count, judged in enumerate(
            sources.judged(read_sources(name, datetime.now(UTC))), start=1
        ):
            status.update(f"{count} judged")
            yield judged


def _sources(settings: Settings, tell: Callable[[str], None]) -> "JudgedSources":
    from streams.assessing import Assessing
    from streams.judged_sources import JudgedSources
    from streams.wiring import (
        build_codec,
        build_judge,
        build_pipeline,
        build_reader,
        build_store,
    )

    codec = build_codec(settings)

    def load() -> Assessing:
        tell("loading models")
        pipeline = build_pipeline(settings, complain, build_reader(settings))
        return Assessing(pipeline, build_store(settings), codec, settings.retries)

    return JudgedSources(build_judge(settings, None), codec, load)
