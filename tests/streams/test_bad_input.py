"""Bad input through the whole pipeline: a decision that says what was missing.

Or a dead letter; never a crash, never silence. What is bad on the wire is in
test_agents.py and tests/schemas.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest

from encoders.media_format import MediaLimits
from encoders.media_reader import InProcessReader
from schemas.codec import Codec
from schemas.ids import CommittedIds
from streams.assessing import Assessing
from streams.event_files import read_sources
from streams.judge import Judge
from streams.listen import Listening
from streams.media import MediaStore
from streams.pipeline import Pipeline
from streams.retries import RetryBounds
from streams.scorers import DEFAULT_SCORERS
from streams.settings import default_policy
from streams.understand import Understanding
from streams.upload import Upload
from streams.wiring import read_policy
from tests.builders import an_event
from tests.fakes import FakeSpeechEngine, FakeTextEncoder, FakeWindower
from tests.media_builders import a_picture, a_sound_file, encoded

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LIMITS = MediaLimits(max_bytes=200_000, max_s=6)


def a_pipeline():
    """Build the pipeline with fake models and the real policy."""
    reader = InProcessReader(LIMITS)
    whole = Understanding(FakeTextEncoder(), (), reader, timedelta(days=1))
    listening = Listening(FakeSpeechEngine(), whole, reader, FakeWindower)
    judge = Judge(DEFAULT_SCORERS, read_policy(default_policy()))
    return Pipeline(whole, lambda: listening, judge)


def assess(folder, *events):
    """Assess events whose media lies in `folder`."""
    file = folder / "events.jsonl"
    file.write_text("\n".join(json.dumps(event) for event in events))
    store = MediaStore(root=folder, hosts=(), max_bytes=LIMITS.max_bytes, timeout_s=5)
    assessing = Assessing(
        a_pipeline(), store, Codec(CommittedIds()), RetryBounds(1, 60)
    )
    return list(assessing.assess(read_sources(str(file), NOW)))


def upload(**fields):
    """Return an event as a line has it."""
    return {"content_id": "c", "uploader_id": "u", "kind": "track"} | fields


@pytest.mark.parametrize(
    ("data", "signal", "code"),
    [
        (b"", "media:audio", "empty"),
        (None, "media:audio", "not_found"),
        (b"words, not sound", "media:audio", "unknown_format"),
        (a_sound_file("flac", 2)[:80], "media:audio", "undecodable"),
        (a_sound_file("wav", 4)[:200_000], "transcript:audio", "truncated"),
        (bytes(200_001), "media:audio", "too_large"),
        (a_sound_file("ogg", 7), "media:audio", "too_long"),
        (encoded(a_picture()), "mime:audio", "wrong_mime"),
    ],
    ids=[
        *("empty", "missing", "no_media", "cut_to_nothing", "cut_short"),
        *("huge", "too_long", "wrong_mime"),
    ],
)
def test_bad_media_is_decided_and_named(tmp_path, data, signal, code):
    """The decision is a review that names the signal and why it is missing."""
    if data is not None:
        (tmp_path / "song").write_bytes(data)
    media = [{"role": "audio", "uri": "song", "mime": "audio/flac"}]
    (line,) = assess(tmp_path, upload(media=media))

    missing = {m["signal"]: m["reason"] for m in line["missing"]}
    assert missing[signal].split(":")[0] == code
    assert (line["action"], line["clause"].split(".")[0]) == ("review", "missing")


def test_a_title_of_ten_megabytes_is_a_dead_letter(tmp_path):
    """It is refused by its size, and the next upload is decided."""
    huge = upload(texts={"title": "x" * 10_000_000})
    first, second = assess(tmp_path, huge, upload(content_id="d"))

    assert first["dead_letter"]["reason"] == "invalid_event"
    assert "10000000 characters" in first["dead_letter"]["message"]
    assert second["content_id"] == "d"


def test_an_event_from_the_future_is_reviewed(tmp_path):
    """A time far past the event's arrival is a missing signal."""
    pipeline, codec = a_pipeline(), Codec(CommittedIds())
    event = an_event(event_time=NOW + timedelta(days=400))
    signals = pipeline.encode(Upload(event, arrived_at=NOW))
    decision = pipeline.decide(signals, {}, codec.encode)

    assert [m.signal for m in decision.missing] == ["event_time"]
    assert decision.clause == "missing.event_time"


def test_the_same_event_twice_is_one_decision(tmp_path):
    """The second line is the first again: same id, not learned twice."""
    first, second, third = assess(
        tmp_path, upload(), upload(), upload(content_id="next")
    )

    assert first == second
    (velocity,) = [a for a in third["anomalies"] if a["name"] == "velocity"]
    assert velocity["reason"].startswith("2 uploads")


def test_texts_of_odd_characters_are_decided(tmp_path):
    """Controls, NUL, zero-width and right-to-left marks are only text."""
    odd = {"title": "\u0007\u202e NUL: \u0000", "lyrics": "\u200b" * 1000}
    (line,) = assess(tmp_path, upload(texts=odd))

    assert line["action"] == "allow"


@pytest.mark.parametrize("field", ["content_id", "uploader_id", "texts"])
def test_half_an_emoji_is_a_dead_letter(tmp_path, field):
    """JSON can carry it, but it is no text that Kafka could."""
    value = {"title": "\ud83d"} if field == "texts" else "\ud83d"
    (line,) = assess(tmp_path, upload(**{field: value}))

    assert line["dead_letter"]["reason"] == "invalid_event"
    assert "surrogate" in line["dead_letter"]["message"]
