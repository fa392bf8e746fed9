"""`headgate dlq`: what could not be used, why, and sending it round again."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from schemas.topics import TOPICS, dead_letter_topic
from streams.cli import dlq_report
from streams.cli.terminal import complain, progress_console, write_json
from streams.cli.times import parse_time
from streams.dead_letter_desk import Desk, Wanted
from streams.errors import HeadgateError, StartError
from streams.settings import Settings, load_settings

app = typer.Typer(
    help="Look at dead letters, and send them round again.", no_args_is_help=True
)

Reason = Annotated[str | None, typer.Option(help="Only those of this reason code.")]
Stage = Annotated[str | None, typer.Option(help="Only those of this stage.")]
Since = Annotated[
    str | None,
    typer.Option("--from", help="Only from this time on (ISO 8601 with zone)."),
]
Until = Annotated[str | None, typer.Option(help="Only those before this time.")]
Topics = Annotated[
    list[str] | None,
    typer.Option(help="Only those of this topic; may be given again. Default: all."),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON objects, one a line.")]


@app.command("list")
def list_letters(
    reason: Reason = None,
    stage: Stage = None,
    since: Since = None,
    until: Until = None,
    topic: Topics = None,
    count: Annotated[
        int | None,
        typer.Option(min=0, help="Show so many, the newest. Default: 50; JSON: all."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count dead letters by topic, stage and reason, then list them.

    Of letters about the same original, which a crash may leave, the first counts.

    Examples:
    headgate dlq list --from 2026-11-02T14:00:00Z

    headgate dlq list --reason undecodable --stage screen --json
    """
    wanted = _wanted(reason, stage, since, until)
    desk = _read(load_settings(), _topics(topic))
    show = dlq_report.write_lines if as_json else dlq_report.print_tables
    show(desk, desk.choose(wanted), count)


@app.command()
def show(
    topic: Annotated[str, typer.Argument(help="The dead letter's topic, ….dlq.")],
    partition: Annotated[int, typer.Argument(min=0)],
    offset: Annotated[int, typer.Argument(min=0)],
    raw: Annotated[
        str | None,
        typer.Option(
            help="Write the original's bytes to this file; - is standard output.",
            metavar="FILE",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter: where it came from, its headers, whether it decodes.

    Its bytes are shown only with --raw: they may be anything. Exit code 1 when there
    is no letter at that place. Examples:

    headgate dlq show content.ingested.v1.dlq 3 17

    headgate dlq show content.ingested.v1.dlq 3 17 --raw event.avro
    """
    settings = load_settings()
    _topics([topic])
    from streams.kafka_tail import tail

    start = {(topic, partition): offset}
    records = tail(settings.kafka, [topic], start=start, until_end=True)
    record = next(records, None)
    if record is None or record.offset != offset:
        complain(f"no dead letter at {topic} {partition} {offset}; see `dlq list`")
        raise typer.Exit(1)
    if raw == "-":
        sys.stdout.buffer.write(record.value or b"")
        return
    from streams.wiring import build_codec

    story = dlq_report.story(record, build_codec(settings))
    if raw is not None:
        Path(raw).write_bytes(record.value or b"")
    if as_json:
        write_json(story)
    else:
        dlq_report.print_story(story)


@app.command()
def redrive(
    reason: Reason = None,
    stage: Stage = None,
    since: Since = None,
    until: Until = None,
    topic: Topics = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Send; without it nothing is sent.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also those that were sent before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters to where they came from: a dry run, unless --yes.

    Key, value, headers, partition and time are the original's; x-redrive-of says where
    that stood. A letter is sent once, however often this is run or interrupted; what
    fails again is a new letter. Run one at a time. Exit code 1 when not all were
    confirmed. Examples:

    headgate dlq redrive --reason retries_exhausted --from 2026-11-02T14:00:00Z

    headgate dlq redrive --reason retries_exhausted --yes
    """
    settings = load_settings()
    wanted = _wanted(reason, stage, since, until)
    desk = _read(settings, _topics(topic))
    letters = desk.choose(wanted)
    todo = [x for x in letters if again or desk.state(x) != "redriven"]
    summary: dict[str, object] = {
        "selected": len(letters),
        "to_send": len(todo),
        "redriven_before": sum(desk.state(x) == "redriven" for x in letters),
        "copies": desk.copies,
        "unreadable": desk.unreadable,
        "dry_run": not yes,
        "sent": 0,
        "found_sent": 0,
    }
    failed = False
    if yes and todo:
        failed = _send(settings, desk, len(todo), wanted, again, summary)
    if as_json:
        write_json(summary)
    else:
        dlq_report.print_redrive(desk, todo, summary)
    raise typer.Exit(1 if failed else 0)


def _send(
    settings: Settings,
    desk: Desk,
    todo: int,
    wanted: Wanted,
    again: bool,
    summary: dict[str, object],
) -> bool:
    """Send, and fill the summary in; True when not all were confirmed."""
    from streams.broker_check import ask_broker
    from streams.producer import DeliveringProducer
    from streams.redriving import Redriver

    facts = ask_broker(settings.kafka)
    producer = DeliveringProducer(
        settings.kafka, message_max_bytes=facts.max_message_bytes
    )
    with progress_console().status("sending") as status:
        redriver = Redriver(
            settings.kafka,
            producer,
            lambda sent: status.update(f"{sent} of {todo} sent"),
        )
        try:
            done = redriver.run(desk, desk.choose(wanted), again=again)
            summary["found_sent"] = done.found_sent
        except HeadgateError as error:
            complain(f"{error}; run it again: nothing is sent twice")
            return True
        finally:
            summary["sent"] = redriver.sent
            producer.close()
    return False


def _wanted(
    reason: str | None, stage: str | None, since: str | None, until: str | None
) -> Wanted:
    return Wanted(
        reason,
        stage,
        None if since is None else parse_time(since, "--from"),
        None if until is None else parse_time(until, "--until"),
    )


def _topics(names: Sequence[str] | None) -> list[str]:
    """Return dead letter topics; a source's name stands for its own."""
    ours = [row.name for row in TOPICS if row.record is None]
    chosen = []
    for name in names or ours:
        found = name if name in ours else dead_letter_topic(name)
        if found not in ours:
            raise StartError(
                f"topic {name!r} has no dead letters; expected one of {', '.join(ours)}"
            )
        chosen.append(found)
    return chosen


def _read(settings: Settings, topics: Sequence[str]) -> Desk:
    """Read whole topics: a note about a letter may lie anywhere behind it."""
    from streams.kafka_tail import tail

    desk = Desk()
    with progress_console().status("reading") as status:
        records = tail(settings.kafka, topics, until_end=True)
        for number, record in enumerate(records, start=1):
            desk.add(record)
            if number % 1000 == 0:
                status.update(f"{number} records read")
    if desk.unreadable:
        complain(f"{desk.unreadable} records are no dead letters of ours; passed over")
    return desk
