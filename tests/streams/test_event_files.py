import json
import sys
from datetime import UTC, datetime
from io import BytesIO, TextIOWrapper

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import Kind
from streams.captures import as_capture
from streams.errors import StartError
from streams.event_files import read_sources
from tests.builders import signals
from tests.fakes import a_record
from tests.media_builders import a_sound_file

NOW = datetime(2026, 11, 23, tzinfo=UTC)
EVENT = {"content_id": "c", "uploader_id": "u", "kind": "track"}


def sources(tmp_path, *lines):
    """Write lines to a .jsonl file and read it."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    return list(read_sources(str(file), NOW))


def line(**fields):
    """Return an event's line."""
    return json.dumps(EVENT | fields).encode()


def test_an_event_needs_three_fields(tmp_path):
    """What is not stated has a default; the time is when it was read."""
    (source,) = sources(tmp_path, line())

    assert (source.event.content_id, source.event.kind) == ("c", Kind.TRACK)
    assert source.event.event_time == NOW


def test_paths_are_looked_up_beside_the_file(tmp_path):
    """A relative path, plain or as file:, is below the events' own folder."""
    media = [{"role": "a", "uri": "x y.mp3"}, {"role": "b", "uri": "file:m/z.mp3"}]
    (source,) = sources(tmp_path, line(media=media))

    assert [ref.uri for ref in source.event.media] == [
        (tmp_path / "x y.mp3").resolve().as_uri(),
        (tmp_path / "m/z.mp3").resolve().as_uri(),
    ]


@pytest.mark.parametrize("uri", ["https://host/a.mp3", "s3://bucket/a", "http://[bad"])
def test_addresses_are_left_as_they_are(tmp_path, uri):
    """Only paths are made absolute."""
    (source,) = sources(tmp_path, line(media=[{"role": "a", "uri": uri}]))

    assert source.event.media[0].uri == uri


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"{", "not_json"),
        (b"[1]", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"content_id": 5}', "invalid_event"),
        (b'{"value_base64": "AA==", "topic": "other"}', "wrong_topic"),
    ],
)
def test_a_bad_line_is_told_and_the_next_one_read(tmp_path, bad, code):
    """One bad line spoils nothing else, and says where it stands."""
    first, second = sources(tmp_path, bad, line())

    assert first.error.code == code
    assert first.name.endswith("events.jsonl:1")
    assert second.event is not None


def test_recorded_signals_come_back_as_they_were(tmp_path):
    """A capture of content.signals.v1 gives the same bytes."""
    value = Codec(CommittedIds()).encode(signals())
    record = a_record(topic="content.signals.v1", value=value)
    (source,) = sources(tmp_path, json.dumps(as_capture(record)).encode())

    assert source.signals == value


def test_standard_input_is_read_as_lines(monkeypatch):
    """`-` means events on standard input."""
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(line())))
    (source,) = read_sources("-", NOW)

    assert source.event.content_id == "c"


def test_a_sound_file_is_an_upload_of_its_own(tmp_path):
    """Its bytes say what it is, not its name; it has no history."""
    file = tmp_path / "song.bin"
    file.write_bytes(a_sound_file("flac", 0.5))
    (source,) = read_sources(str(file), NOW)

    assert source.event.kind is Kind.TRACK
    assert source.event.media[0].role == "audio"
    assert source.event.uploader_id.startswith("file:")


def test_a_text_file_is_judged_as_text(tmp_path):
    """Invalid UTF-8 in it is replaced, not refused."""
    file = tmp_path / "words.txt"
    file.write_bytes(b"la la \xff")
    (source,) = read_sources(str(file), NOW)

    assert source.event.texts == (("text", "la la \ufffd"),)


def test_a_missing_file_is_one_sentence(tmp_path):
    """The command ends with the file's name and the reason."""
    with pytest.raises(StartError, match=r"gone\.jsonl can't be read"):
        list(read_sources(str(tmp_path / "gone.jsonl"), NOW))
