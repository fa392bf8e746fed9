"""Makes the sample set of `headgate demo` from uploads.yaml; START READING HERE.

Media first (needs espeak-ng), then the bank and the events, which name media by hash.
The result is committed, since other versions of espeak-ng, FFmpeg or Pillow give other
bytes; from the same media the events are always the same.
"""

import argparse
import csv
import io
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import sample_events
import sample_pictures
import sample_sound
import yaml
from PIL import Image

from encoders.hashing import pdq, sha256_hex
from encoders.image import decode_image
from encoders.media_format import MediaLimits

HERE: Final = Path(__file__).resolve().parent
LIMITS: Final = MediaLimits(max_bytes=1_000_000, max_s=30)
TRUNCATED_SHARE: Final = 0.4  # Of the podcast's bytes: it ends in the middle of a word.
# ASCII text and bytes that no wire format of ours begins with.
NOT_AVRO: Final = b"this is not Avro \xff\xfe\x00\x01" + bytes(range(32))
BANK_CATEGORY: Final = "ip_infringement"


def main() -> None:
    """Make everything, or with --events-only all that needs no espeak-ng."""
    options = _options()
    folder: Path = options.out
    story = yaml.safe_load((HERE / "uploads.yaml").read_text(encoding="utf-8"))
    media = folder / "media"
    if not options.events_only:
        make_media(media, story["speech"])
    (folder / "bank.csv").write_text(bank(media / "test_pattern.png"), encoding="utf-8")
    uploads = sample_events.all_uploads(story["uploads"])
    events = [sample_events.event(upload, media) for upload in uploads]
    expected = {u["content_id"]: sample_events.expectation(u) for u in uploads}
    _write_lines(folder / "events.jsonl", events)
    text = json.dumps(expected, ensure_ascii=False, indent=1)
    (folder / "expected.json").write_text(text + "\n", encoding="utf-8")
    (folder / "not_avro.bin").write_bytes(NOT_AVRO)
    sys.stdout.write(f"{len(events)} events, {len(expected)} contents in {folder}\n")


def make_media(media: Path, speech: dict[str, dict[str, Any]]) -> None:
    """Write every media file, good and broken."""
    media.mkdir(parents=True, exist_ok=True)
    for name, saying in speech.items():
        sound = sample_sound.speak(**saying)
        if name.endswith(".mp4"):
            sample_pictures.save_video(media / name, sound)
        else:
            sample_sound.save_sound(media / name, sound)
    sample_sound.save_sound(media / "chords.ogg", sample_sound.music())
    _make_pictures(media)
    _make_broken(media)


def bank(pattern: Path) -> str:
    """Return the bank that knows the test pattern, as CSV."""
    data = pattern.read_bytes()
    value = pdq(decode_image(data, LIMITS)).hex
    note = "a drawn test pattern that stands for a known picture"
    rows = (
        ("entry_id", "algorithm", "value", "category", "note"),
        ("pattern-file", "sha256", sha256_hex(data), BANK_CATEGORY, note),
        ("pattern-look", "pdq", value, BANK_CATEGORY, note),
    )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _make_pictures(media: Path) -> None:
    sample_pictures.save_picture(media / "cover_sunrise.png", sample_pictures.sunrise())
    sample_pictures.save_picture(media / "cover_night.jpg", sample_pictures.night())
    sample_pictures.save_picture(media / "cover_shapes.png", sample_pictures.shapes())
    sample_pictures.save_picture(media / "test_pattern.png", sample_pictures.pattern())
    with Image.open(media / "test_pattern.png") as pattern:
        copy = sample_pictures.edited(pattern.convert("RGB"))
    sample_pictures.save_picture(media / "test_pattern_edited.jpg", copy)


def _make_broken(media: Path) -> None:
    (media / "empty.flac").write_bytes(b"")
    whole = (media / "podcast_intro.flac").read_bytes()
    cut = whole[: int(TRUNCATED_SHARE * len(whole))]
    (media / "truncated.flac").write_bytes(cut)
    picture = sample_pictures.png_bytes(sample_pictures.shapes())
    (media / "picture_as_sound.flac").write_bytes(picture)


def _write_lines(file: Path, values: Iterable[dict[str, Any]]) -> None:
    lines = [json.dumps(value, ensure_ascii=False) + "\n" for value in values]
    file.write_text("".join(lines), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=HERE, help="folder to write to (default: this one)"
    )
    parser.add_argument(
        "--events-only",
        action="store_true",
        help="keep OUT/media as it is; write events, expectations and bank anew",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
