"""Events from files: JSON lines, captured records, or media and text as they are.

What `headgate assess` and `headgate produce` read. Each line becomes a source: an
event, captured signals, or the error that says what is wrong with that line.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from encoders.image import image_mime
from encoders.media_format import MediaLimits
from encoders.media_reader import InProcessReader, MediaReader
from encoders.signals import DecoderUnavailableError, EncodeError
from schemas.errors import CodecError
from schemas.json_form import event_from_json
from schemas.records import ContentIngested, Kind, MediaRef
from streams.captures import captured_signals
from streams.errors import EventError, StartError

# Of a line; a longer one is not an event but a mistake or an attack.
MAX_LINE_BYTES = 16 * 1024 * 1024
# Larger files are judged too, only their kind is not looked up first; the same holds
# for what the reader finds too long.
MAX_SNIFFED_BYTES = 512 * 1024 * 1024
TEXT_SUFFIXES = {".txt", ".md", ".lrc", ".srt", ".vtt"}
KINDS = {"audio": Kind.TRACK, "video": Kind.VIDEO, "image": Kind.COVER_ART}


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to judge: an event, a captured record of signals, or an error."""

    name: str  # FILE:LINE, or the file.
    event: ContentIngested | None = None
    signals: bytes | None = None  # A value of content.signals.v1.
    error: EventError | None = None


def read_sources(
    name: str, now: datetime, reader: MediaReader | None = None
) -> Iterator[Source]:
    """Read one argument: `-` or a .jsonl file line by line, any other file whole.

    `now` is the event time of events that state none. `reader` tells the kind of media
    files; without one they are probed in this process.

    Raises:
        StartError: the file can't be read.
    """
    if name == "-":
        yield from _lines("standard input", Path.cwd(), sys.stdin.buffer, now)
        return
    path = Path(name)
    try:
        if path.suffix.lower() in (".jsonl", ".ndjson"):
            with path.open("rb") as file:
                yield from _lines(name, path.resolve().parent, file, now)
        else:
            yield from _whole_file(name, path, reader or _own_reader())
    except OSError as error:
        raise StartError(f"{name} can't be read: {error.strerror}") from error


def _lines(
    name: str, folder: Path, file: "Iterator[bytes]", now: datetime
) -> Iterator[Source]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        where = f"{name}:{number}"
        try:
            yield _source(where, line, folder, now)
        except EventError as error:
            yield Source(where, error=error)


def _source(where: str, line: bytes, folder: Path, now: datetime) -> Source:
    if len(line) > MAX_LINE_BYTES:
        raise EventError("too_large", f"{where}: over {MAX_LINE_BYTES} bytes")
    try:
        obj = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise EventError("not_json", f"{where}: not a JSON object") from error
    if not isinstance(obj, Mapping):
        raise EventError("not_json", f"{where}: expected a JSON object")
    if "value_base64" in obj:
        return Source(where, signals=captured_signals(where, obj))
    try:
        event = event_from_json(obj, default_time=now)
    except CodecError as error:
        raise EventError(error.code, f"{where}: {error}") from error
    return Source(where, event=with_absolute_uris(event, folder))


def with_absolute_uris(event: ContentIngested, folder: Path) -> ContentIngested:
    """Return the event with paths made file: URIs, relative ones below `folder`."""
    media = tuple(replace(ref, uri=_absolute(ref.uri, folder)) for ref in event.media)
    return replace(event, media=media)


def _absolute(uri: str, folder: Path) -> str:
    """Resolve links here: whoever names a file on a command line may follow them."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri  # Not a URI; fetching it says so in the decision.
    is_path = len(parts.scheme) != 1 and parts.scheme not in ("", "file")
    if is_path or (parts.scheme == "file" and parts.netloc):
        return uri
    path = uri if parts.scheme == "" else uri.removeprefix("file:")
    if parts.scheme == "file":
        path = unquote(path)
    if "\0" in path:
        return uri
    return (folder / path).resolve().as_uri()


def _own_reader() -> MediaReader:
    return InProcessReader(MediaLimits(MAX_SNIFFED_BYTES, max_s=float("inf")))


def _whole_file(name: str, path: Path, reader: MediaReader) -> Iterator[Source]:
    """Make an event of a media or text file; each its own uploader, so no history."""
    status = path.stat()
    event = ContentIngested(
        content_id=name[-256:],
        uploader_id=f"file:{name}"[-256:],
        kind=Kind.UNKNOWN,
        event_time=datetime.fromtimestamp(status.st_mtime, UTC),
    )
    if path.suffix.lower() in TEXT_SUFFIXES:
        text = path.read_text("utf-8", errors="replace")
        yield Source(name, replace(event, kind=Kind.LYRICS, texts=(("text", text),)))
        return
    family = _family(path, reader)
    role = {"image": "cover", "": "media"}.get(family, family)
    ref = MediaRef(role=role, uri=path.resolve().as_uri())
    kind = KINDS.get(family, Kind.UNKNOWN)
    yield Source(name, replace(event, kind=kind, media=(ref,)))


def _family(path: Path, reader: MediaReader) -> str:
    """Return audio, video or image by the file's bytes; empty when none of them."""
    if path.stat().st_size > MAX_SNIFFED_BYTES:
        return ""
    data = path.read_bytes()
    if image_mime(data) is not None:
        return "image"
    try:
        return "video" if reader.probe(data).has_video else "audio"
    except (EncodeError, DecoderUnavailableError):
        return ""
