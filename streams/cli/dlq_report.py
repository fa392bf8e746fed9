"""How dead letters are told: tables for a person, lines for a machine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from rich.table import Column, Table

from schemas.codec import Codec
from schemas.dead_letter import parse_dead_letter
from schemas.errors import CodecError, SchemaError
from schemas.redrive import parse_note
from schemas.topics import topic_named
from streams.cli.terminal import as_text, output_console, write_json
from streams.dead_letter_desk import Desk, Letter, grouped
from streams.messages import Record

SHOWN = 50  # Rows that a person may still look through.
_HEADER_CHARS = 200  # A trace context takes 55; longer ones are told by their size.


def write_lines(desk: Desk, letters: Sequence[Letter], count: int | None) -> None:
    """Write a line for each group, then one for each letter, the newest `count`."""
    for group in grouped(desk, letters):
        write_json(
            {
                "group": group.topic,
                "stage": group.stage,
                "reason": group.reason,
                "letters": group.states.total(),
                **{state: group.states[state] for state in group.states},
                "first": _iso(group.first),
                "last": _iso(group.last),
            }
        )
    for letter in _newest(letters, count):
        write_json(
            {
                "letter": asdict(letter.at),
                "origin": asdict(letter.of),
                "time": _iso(letter.when),
                "stage": letter.failure.stage,
                "reason": letter.failure.reason,
                "attempts": letter.failure.attempts,
                "app_version": letter.failure.app_version,
                "value_bytes": letter.value_bytes,
                "state": desk.state(letter),
            }
        )


def print_tables(desk: Desk, letters: Sequence[Letter], count: int | None) -> None:
    """Print the groups, then the newest letters."""
    console = output_console()
    console.print(_groups(desk, letters))
    shown = _newest(letters, SHOWN if count is None else count)
    table = Table(
        Column("letter (topic partition offset)", no_wrap=True),
        *("time", "stage", "reason", "attempts", "bytes", "state"),
    )
    for letter in shown:
        table.add_row(
            f"{letter.at.topic} {letter.at.partition} {letter.at.offset}",
            _iso(letter.when),
            as_text(letter.failure.stage),
            as_text(letter.failure.reason),
            str(letter.failure.attempts),
            str(letter.value_bytes),
            desk.state(letter),
        )
    if shown:
        console.print(table)
    if len(shown) < len(letters):
        console.print(f"the newest {len(shown)} of {len(letters)}; see --count")


def print_redrive(
    desk: Desk, todo: Sequence[Letter], summary: Mapping[str, object]
) -> None:
    """Say what was sent, or would be."""
    console = output_console()
    if summary["dry_run"]:
        console.print(_groups(desk, todo))
        console.print(
            f"{len(todo)} of {summary['selected']} would be sent, "
            f"{summary['redriven_before']} were before; nothing is sent without --yes"
        )
        return
    console.print(
        f"{summary['sent']} sent, {summary['found_sent']} found sent by an interrupted "
        f"run, {summary['redriven_before']} sent before"
    )


def story(record: Record, codec: Codec) -> dict[str, object]:
    """Return what can be told of one record of a dead letter topic, bytes left out."""
    told: dict[str, object] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "time": _iso(record.arrived_at),
        "key": None if record.key is None else _safe(record.key),
        "headers": [[ascii(n)[1:-1], _safe(v)] for n, v in record.headers],
        "value_bytes": len(record.value or b""),
    }
    if (note := parse_note(record.headers)) is not None:
        return told | {"note": note.state, "of": str(note.of)}
    try:
        origin, failure = parse_dead_letter(record.headers)
    except CodecError as error:
        return told | {"error": str(error)}
    told["origin"] = asdict(origin)
    told["failure"] = asdict(failure)
    return told | _decoded(codec, origin.topic, record)


def print_story(told: Mapping[str, object]) -> None:
    """Print what `story` told, a line for each fact."""
    console = output_console()
    for name, value in told.items():
        rows = value.items() if isinstance(value, dict) else [("", value)]
        if name == "headers" and isinstance(value, list):
            rows = value
        for part, text in rows:
            label = f"{name} {part}".strip()
            # Headers are anybody's bytes: none may reach the terminal as a command.
            shown = text if str(text).isprintable() else ascii(text)
            console.print(f"{label}: {shown}", markup=False, soft_wrap=True)


def _decoded(codec: Codec, topic: str, record: Record) -> dict[str, object]:
    """Say whether the value can be read, and whose it is; never what is in it."""
    try:
        kind = topic_named(topic).record
        assert kind is not None, "a dead letter's origin is no dead letter topic"
        value = codec.decode(record.value, kind)
    except CodecError as error:
        return {"decodes": False, "why": error.code}
    except (KeyError, SchemaError) as error:
        return {"decodes": False, "why": type(error).__name__}
    return {"decodes": True, "content_id": getattr(value, "content_id", None)}


def _groups(desk: Desk, letters: Sequence[Letter]) -> Table:
    table = Table(
        Column("topic", no_wrap=True),
        *("stage", "reason", "waiting", "in doubt", "redriven", "first", "last"),
    )
    for group in grouped(desk, letters):
        states = group.states
        table.add_row(
            as_text(group.topic),
            as_text(group.stage),
            as_text(group.reason),
            *(str(states[s]) for s in ("waiting", "in_doubt", "redriven")),
            _iso(group.first),
            _iso(group.last),
        )
    return table


def _newest(letters: Sequence[Letter], count: int | None) -> Sequence[Letter]:
    return letters if count is None else letters[max(0, len(letters) - count) :]


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat(timespec="milliseconds")


def _safe(value: bytes) -> str:
    """Return bytes as a terminal may show them; what is no plain text as its size."""
    if len(value) <= _HEADER_CHARS and value.isascii() and value.decode().isprintable():
        return value.decode()
    return f"({len(value)} bytes)"
