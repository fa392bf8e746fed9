"""Captures: a window's records as JSON lines that replay offline."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.topics import DECISION, SIGNALS
from streams.errors import StartError
from streams.messages import Record
from streams.replaying.ranges import Range
from streams.replaying.request import LETTERS, Part, Plan, Request

FORMAT = "headgate-capture/1"  # Rises when lines change their meaning.


class CapturedReading:
    """Reads a capture's signals and dead letters."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def signals(self, part: Range, uploader: str | None) -> Iterator[Record]:
        """Yield signals in offset order, with `uploader` only theirs."""
        key = None if uploader is None else uploader.encode()
        for record in records_of(self._path, SIGNALS.name):
            in_range = part.start <= record.offset < part.end
            is_theirs = key is None or record.key == key
            if record.partition == part.partition and in_range and is_theirs:
                yield record

    def letters(self, partition: int) -> Iterator[Record]:
        """Yield the dead letters of the signals of a partition."""
        for record in records_of(self._path, LETTERS):
            if record.partition == partition:
                yield record


def captured_said(path: Path, part: Range) -> Iterator[Record]:
    """Yield a capture's decisions; their offset is their number among them."""
    for record in records_of(path, DECISION.name):
        if part.start <= record.offset < part.end:
            yield record


def plan_capture(request: Request) -> Plan:
    """Plan the replay of a capture.

    Raises:
        StartError: the file is no capture.
    """
    assert request.capture is not None
    head = capture_head(Path(request.capture))
    parts = tuple(
        Part(
            Range(SIGNALS.name, p["partition"], p["read"], p["end"], p["low"]),
            p["start"],
        )
        for p in head["parts"]
    )
    return Plan(
        id=head["id"],
        warmth="cut" if any(p["low"] for p in head["parts"]) else "capture",
        parts=parts,
        said=(Range(DECISION.name, 0, 0, head["decisions"]),),
        uploader=request.uploader,
        contents=(request.content,) if request.content is not None else (),
    )


def capture_head(path: Path) -> dict[str, Any]:
    """Read the last line, which tells what the capture holds.

    Raises:
        StartError: the file is no capture.
    """
    last = b""
    try:
        with path.open("rb") as file:
            for line in file:
                last = line
        head: dict[str, Any] = json.loads(last)
        if head.get("format") != FORMAT:
            raise ValueError("no line that says so at its end")
    except (OSError, ValueError, AttributeError) as error:
        raise StartError(
            f"{path} is no whole capture ({error}); make one with `headgate capture`"
        ) from error
    return head


def records_of(path: Path, topic: str) -> Iterator[Record]:
    """Yield a capture's records of a topic, in their order.

    Raises:
        StartError: a line is no record.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                obj = json.loads(line)
                if obj.get("topic") == topic:
                    yield _record(obj)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise StartError(f"{path}:{number} is no captured record") from error


def _record(obj: dict[str, Any]) -> Record:
    return Record(
        topic=obj["topic"],
        partition=obj["partition"],
        offset=obj["offset"],
        timestamp_ms=obj["timestamp_ms"],
        key=_bytes(obj["key_base64"]),
        value=_bytes(obj["value_base64"]),
        headers=tuple((name, _bytes(v) or b"") for name, v in obj["headers"]),
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)
