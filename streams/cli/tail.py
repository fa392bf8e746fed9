"""`headgate tail`: what is on a topic, decoded."""

from itertools import islice
from typing import Annotated

import typer

from schemas.codec import Codec
from schemas.dead_letter import parse_dead_letter
from schemas.errors import CodecError, SchemaError
from schemas.json_form import record_to_json
from schemas.redrive import parse_note
from schemas.topics import TOPICS, Topic
from streams.captures import as_capture
from streams.cli.terminal import write_json
from streams.cli.times import parse_time
from streams.errors import StartError
from streams.kafka_tail import Start
from streams.kafka_tail import tail as follow
from streams.messages import Record
from streams.settings import load_settings


def tail(
    topic: Annotated[str, typer.Argument(help="A topic; see `headgate topics list`.")],
    start: Annotated[
        str,
        typer.Option(
            "--from",
            help="beginning, end, an offset, or a time (ISO 8601 with zone).",
        ),
    ] = "end",
    until_end: Annotated[
        bool, typer.Option("--until-end", help="Stop at what is the end now.")
    ] = False,
    count: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many records.")
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Undecoded, base64; `headgate assess` reads it."),
    ] = False,
) -> None:
    """Print a topic's records as JSON lines, and follow it.

    Reads outside any consumer group and commits nothing. A record that can't be
    decoded is shown with the reason. Example:

    headgate tail risk.decision.v1 --from beginning --until-end
    """
    settings = load_settings()
    from streams.wiring import build_codec

    row = _row(topic)
    codec = build_codec(settings)
    records = follow(settings.kafka, [topic], start=_start(start), until_end=until_end)
    for record in islice(records, count):
        write_json(as_capture(record) if raw else _decoded(codec, row, record))


def _row(name: str) -> Topic:
    for row in TOPICS:
        if row.name == name:
            return row
    names = ", ".join(row.name for row in TOPICS)
    raise StartError(f"topic {name!r} is not one of ours; expected one of {names}")


def _start(text: str) -> Start:
    words: dict[str, Start] = {"beginning": "beginning", "end": "end"}
    if text in words:
        return words[text]
    if text.isdigit():
        return int(text)
    return parse_time(text, "--from", also="beginning, end, an offset or ")


def _decoded(codec: Codec, row: Topic, record: Record) -> dict[str, object]:
    line: dict[str, object] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "key": None if record.key is None else record.key.decode(errors="replace"),
    }
    if row.record is None:
        return {**line, **_dead_letter(record)}
    if record.value is None:
        return {**line, "value": None}
    try:
        value = codec.decode(record.value, row.record)
    except (CodecError, SchemaError) as error:
        return {**line, "error": str(error)}
    return {**line, "value": record_to_json(value)}


def _dead_letter(record: Record) -> dict[str, object]:
    """Show a dead letter's story, not its bytes: they may be anything."""
    size = len(record.value or b"")
    if (note := parse_note(record.headers)) is not None:
        return {"redrive": note.state, "of": str(note.of)}
    try:
        origin, failure = parse_dead_letter(record.headers)
    except CodecError as error:
        return {"error": str(error), "value_bytes": size}
    return {
        "origin": {
            "topic": origin.topic,
            "partition": origin.partition,
            "offset": origin.offset,
        },
        "stage": failure.stage,
        "reason": failure.reason,
        "attempts": failure.attempts,
        "value_bytes": size,
    }
