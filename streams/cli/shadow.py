"""`headgate shadow`: what candidates beside the live policy would have done."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

import typer

from schemas.errors import CodecError, SchemaError
from schemas.records import ShadowDecision
from schemas.topics import DECISION_SHADOW
from streams.cli.shadow_report import print_report, report_json
from streams.cli.terminal import complain, progress_console, write_json
from streams.cli.times import parse_time
from streams.errors import StartError
from streams.messages import Record
from streams.settings import Settings, load_settings
from streams.shadows.tally import MOST_VERSIONS, ShadowTallies

app = typer.Typer(
    help="See what the candidates of HEADGATE_SHADOW would have done.",
    no_args_is_help=True,
)


@app.callback()
def shadow() -> None:
    """See what the candidates of HEADGATE_SHADOW would have done."""


@app.command("report")
def report(
    start: Annotated[
        str, typer.Option("--from", help="beginning, or a time (ISO 8601 with zone).")
    ] = "beginning",
    end: Annotated[
        str, typer.Option("--to", help="end, or a time; not included.")
    ] = "end",
    name: Annotated[
        str | None, typer.Option("--shadow", help="Only this candidate.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each comparison.")
    ] = False,
) -> None:
    """Compare each candidate's words with the live decisions beside them.

    Agreement and flips, by action, rule, category, territory and how many uploads of
    the uploader were known, with Wilson's 95 % intervals and a few uploads to look at
    with `headgate why`. Each version of a candidate or of the live policy is a
    comparison of its own. Reads risk.decision.shadow.v1 outside any consumer group.

    Exit codes: 0 shown; 1 there is nothing to show, or a record can't be read; 2 could
    not start. Examples:

    headgate shadow report --from 2026-11-02T14:00:00Z --shadow strict

    headgate shadow report --json
    """
    since, until = _from(start), _until(end)
    tallies, unread = _count(load_settings(), since, until, name)
    for version, tally in tallies.found.items():
        if as_json:
            write_json(report_json(version, tally))
        else:
            print_report(version, tally)
    if unread:
        complain(f"{unread} records of {DECISION_SHADOW.name} can't be decoded")
    if tallies.left_out:
        complain(
            f"{tallies.left_out} words are of versions past the first {MOST_VERSIONS};"
            " ask for a shorter time with --from and --to"
        )
    if not tallies.found:
        who = "no candidate" if name is None else f"candidate {name!r}"
        complain(
            f"{who} said anything in that time; candidates are named in "
            "HEADGATE_SHADOW, and `headgate doctor` shows them"
        )
    bad = unread or tallies.left_out or not tallies.found
    raise typer.Exit(1 if bad else 0)


def _count(
    settings: Settings,
    since: Literal["beginning"] | datetime,
    until: datetime | None,
    name: str | None,
) -> tuple[ShadowTallies, int]:
    """Return the tallies, and how many records could not be read."""
    from streams.wiring import build_codec

    codec, tallies, unread = build_codec(settings), ShadowTallies(name), 0
    with progress_console().status("reading what they said"):
        for record in _records(settings, since, until):
            try:
                tallies.add(codec.decode(record.value, ShadowDecision))
            except CodecError:
                unread += 1
            except SchemaError as error:
                raise StartError(f"schema registry: {error}") from error
    return tallies, unread


def _records(
    settings: Settings, since: Literal["beginning"] | datetime, until: datetime | None
) -> Iterator[Record]:
    from streams.kafka_tail import tail

    until_ms = None if until is None else until.timestamp() * 1000
    topic = [DECISION_SHADOW.name]
    for record in tail(settings.kafka, topic, start=since, until_end=True):
        if until_ms is None or record.timestamp_ms < until_ms:
            yield record


def _from(text: str) -> Literal["beginning"] | datetime:
    if text == "beginning":
        return "beginning"
    return parse_time(text, "--from", also="beginning or ")


def _until(text: str) -> datetime | None:
    return None if text == "end" else parse_time(text, "--to", also="end or ")
