"""The committed sample set is whole: what its README says of each file is so."""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from encoders.audio import decode_audio
from encoders.bank_entries import BankHit, ContentHash
from encoders.bank_file import load_bank
from encoders.banks import HashBank
from encoders.hashing import pdq, sha256_hex
from encoders.image import decode_image
from encoders.media_format import MediaLimits
from encoders.signals import EncodeError
from encoders.video import key_frames
from schemas.json_form import event_from_json
from schemas.records import CATEGORIES, Action

SAMPLES = Path(__file__).resolve().parents[2] / "deploy" / "samples"
MEDIA = SAMPLES / "media"
LIMITS = MediaLimits(max_bytes=1_000_000, max_s=30)
SPEECH = (
    *("audiobook.flac", "bank_scam.flac", "podcast_intro.flac", "cooking_talk.ogg"),
    *("german_talk.ogg", "spanish_talk.ogg", "support_line.ogg"),
)
SEVERITY = [action.lower() for action in Action if action != Action.UNKNOWN]


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    """Return the committed events."""
    lines = (SAMPLES / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def bank() -> HashBank:
    """Return the committed bank."""
    text = (SAMPLES / "bank.csv").read_text(encoding="utf-8")
    return load_bank(text, "bank.csv", CATEGORIES)


def matches(bank: HashBank, name: str) -> tuple[BankHit, ...]:
    """Look a picture of the set up in the bank, as the pipeline does."""
    data = (MEDIA / name).read_bytes()
    look = pdq(decode_image(data, LIMITS))
    exact = ContentHash("sha256", sha256_hex(data))
    return bank.match([exact, ContentHash("pdq", look.hex, look.quality)])


def test_no_upload_comes_twice(events: list[dict[str, Any]]) -> None:
    """Each event makes a decision of its own: content and revision are unique."""
    keys = {(event["content_id"], event["revision"]) for event in events}

    assert len(keys) == len(events) == 58


def test_events_have_the_form_that_produce_takes(events: list[dict[str, Any]]) -> None:
    """Every line is an event with all its fields, from before the set was made."""
    made_at = datetime(2026, 11, 23, tzinfo=UTC)
    fields = {"content_id", "uploader_id", "kind", "texts", "media"}
    for event in events:
        assert set(event) == fields | {"event_time", "revision"}
        read = event_from_json(event, default_time=made_at)
        assert read.event_time < made_at
        assert read.texts


def test_events_name_media_by_right_hash(events: list[dict[str, Any]]) -> None:
    """Every file is the one that its event means, and none lies there unused."""
    references = [medium for event in events for medium in event["media"]]
    named = {medium["uri"].removeprefix("file:media/"): medium for medium in references}
    files = {file.name: file for file in MEDIA.iterdir()}

    assert set(named) - set(files) == {"no_such_file.flac"}
    assert set(files) - set(named) == set()
    for name, file in files.items():
        data = file.read_bytes()
        assert named[name]["sha256"] == hashlib.sha256(data).hexdigest(), name


def test_set_is_small() -> None:
    """The whole set stays under 2.5 MB, so that a clone stays quick."""
    sizes = [file.stat().st_size for file in SAMPLES.rglob("*") if file.is_file()]

    assert 100_000 < sum(sizes) < 2_500_000


@pytest.mark.parametrize("name", SPEECH)
def test_speech_decodes_whole(name: str) -> None:
    """Speech is 4 to 12 seconds long, whole, and loud enough to be heard."""
    decoded = decode_audio((MEDIA / name).read_bytes(), LIMITS)

    assert not decoded.truncated
    assert 4 <= decoded.waveform.duration_s <= 12
    assert abs(decoded.waveform.samples).max() > 0.3


def test_music_decodes_whole() -> None:
    """The music is six seconds of sound."""
    decoded = decode_audio((MEDIA / "chords.ogg").read_bytes(), LIMITS)

    assert not decoded.truncated
    assert decoded.waveform.duration_s == pytest.approx(6, abs=0.1)


def test_video_gives_sound_and_pictures() -> None:
    """The video is four seconds long, 320 by 240, and speaks."""
    data = (MEDIA / "bridge.mp4").read_bytes()

    assert decode_audio(data, LIMITS).waveform.duration_s == pytest.approx(4, abs=0.2)
    frames = list(key_frames(data, LIMITS))
    assert frames
    assert frames[0].rgb.shape == (240, 320, 3)


@pytest.mark.parametrize(
    ("name", "code"),
    [("empty.flac", "empty"), ("picture_as_sound.flac", "unknown_format")],
)
def test_broken_sound_fails_as_meant(name: str, code: str) -> None:
    """What is no sound is refused for the reason that the README gives."""
    with pytest.raises(EncodeError) as caught:
        decode_audio((MEDIA / name).read_bytes(), LIMITS)

    assert caught.value.code == code


def test_cut_sound_is_told_apart() -> None:
    """The cut podcast still has sound, and is known to be cut."""
    decoded = decode_audio((MEDIA / "truncated.flac").read_bytes(), LIMITS)

    assert decoded.truncated
    assert decoded.waveform.duration_s > 1


def test_bank_knows_pattern_by_file_and_look(bank: HashBank) -> None:
    """The known picture matches both entries, exactly."""
    found = [(hit.entry_id, hit.distance) for hit in matches(bank, "test_pattern.png")]

    assert found == [("pattern-file", 0), ("pattern-look", 0)]


def test_bank_knows_edited_copy_by_look_only(bank: HashBank) -> None:
    """The edited copy is other bytes and the same picture, some bits away."""
    (hit,) = matches(bank, "test_pattern_edited.jpg")

    assert hit.entry_id == "pattern-look"
    assert 1 <= hit.distance <= 31


@pytest.mark.parametrize(
    "name", ["cover_sunrise.png", "cover_night.jpg", "cover_shapes.png"]
)
def test_bank_knows_no_ordinary_cover(bank: HashBank, name: str) -> None:
    """Covers that are fine match nothing."""
    assert matches(bank, name) == ()


def test_burst_is_thirty_variants_in_three_minutes(
    events: list[dict[str, Any]],
) -> None:
    """One uploader sends 30 uploads, nearly all worded apart, within three minutes."""
    burst = [event for event in events if event["uploader_id"] == "free-phones-4u"]
    times = [datetime.fromisoformat(event["event_time"]) for event in burst]
    wordings = {tuple(event["texts"].values()) for event in burst}

    assert len(burst) == 30
    assert max(times) - min(times) < timedelta(minutes=3)
    assert len(wordings) >= 28


def test_something_is_expected_of_every_content(events: list[dict[str, Any]]) -> None:
    """Each content has an expected action, a known one, and a reason."""
    text = (SAMPLES / "expected.json").read_text(encoding="utf-8")
    expected = json.loads(text)

    assert set(expected) == {event["content_id"] for event in events}
    for content_id, expectation in expected.items():
        least = SEVERITY.index(expectation["action_at_least"])
        most = SEVERITY.index(expectation.get("action_at_most", "block"))
        assert least <= most, content_id
        assert expectation["why"]


def test_broken_bytes_are_not_our_wire_format() -> None:
    """Avro on the wire begins with a zero byte and JSON with a brace; these don't."""
    data = (SAMPLES / "not_avro.bin").read_bytes()

    assert data
    assert data[0] not in b"\x00{[ "


def test_events_are_what_the_maker_makes(tmp_path: Path) -> None:
    """From the committed media the maker makes the committed events, byte for byte."""
    (tmp_path / "media").symlink_to(MEDIA)

    maker = [sys.executable, "-B", str(SAMPLES / "make_samples.py")]
    subprocess.run([*maker, "--events-only", "--out", str(tmp_path)], check=True)

    for name in ("events.jsonl", "expected.json", "bank.csv", "not_avro.bin"):
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes(), name


@pytest.mark.models
def test_sphinx_hears_the_scam() -> None:
    """PocketSphinx, the demo's fallback, hears what the scam is about."""
    pocketsphinx = pytest.importorskip("pocketsphinx")
    sound = decode_audio((MEDIA / "bank_scam.flac").read_bytes(), LIMITS).waveform

    decoder = pocketsphinx.Decoder(samprate=16_000, loglevel="FATAL")
    decoder.start_utt()
    pcm = (sound.samples * 32_768).astype("<i2").tobytes()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()

    heard = decoder.hyp().hypstr
    for words in ("your bank account", "closed today", "card number", "security code"):
        assert words in heard
