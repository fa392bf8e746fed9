"""The rows of uploads.yaml and the burst become events and expectations.

After `sample_media`, whose files the events name with their SHA-256; `make_samples`
writes what is made here. Pure but for reading media: the same input, the same events.
"""

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]

FIRST_AT: Final = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)  # Fixed, and past.
APART: Final = timedelta(minutes=7)  # No uploader but the burst's is fast.
BURST_AT: Final = datetime(2026, 11, 2, 10, 30, tzinfo=UTC)
BURST_SIZE: Final = 30
BURST_STEP_S: Final = 5  # 30 of them, up to 2 s late each: within three minutes.
SEED: Final = 20261102

# From which copy on the default policy holds the burst back, by the formulas of the
# scorers velocity (22nd, 27th) and near_duplicate, with some slack.
LIMITED_FROM: Final = 24
REVIEWED_FROM: Final = 29

MIMES: Final = {
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".jpg": "image/jpeg",
}


def all_uploads(rows: Sequence[Json]) -> list[Json]:
    """Return the rows and the burst with their times, in the order of time."""
    timed = [{**row, "at": FIRST_AT + i * APART} for i, row in enumerate(rows)]
    return sorted((*timed, *_burst()), key=lambda upload: upload["at"])


def event(upload: Json, media: Path) -> Json:
    """Return an upload as `headgate produce` takes it."""
    references = upload.get("media", {}).items()
    return {
        "content_id": upload["content_id"],
        "uploader_id": upload["uploader_id"],
        "kind": upload["kind"],
        "texts": upload["texts"],
        "media": [_reference(role, media / name) for role, name in references],
        "event_time": upload["at"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "revision": upload.get("revision", 0),
    }


def expectation(upload: Json) -> Json:
    """Return what a person would expect to be decided on an upload."""
    most = {"action_at_most": upload["at_most"]} if "at_most" in upload else {}
    least = upload.get("at_least", "allow")
    return {"action_at_least": least, **most, "why": upload["why"]}


def _reference(role: str, file: Path) -> Mapping[str, str | None]:
    """Return a medium by name; its type goes by the suffix, which may be a lie."""
    return {
        "role": role,
        "uri": f"file:media/{file.name}",
        "mime": MIMES[file.suffix],
        "sha256": _sha256(file) if file.exists() else None,
    }


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _burst() -> Iterator[Json]:
    """Make near copies that one uploader sends within three minutes."""
    chance = random.Random(SEED)
    for number in range(1, BURST_SIZE + 1):
        late_s = BURST_STEP_S * (number - 1) + chance.randrange(3)
        yield {
            "content_id": f"spam-{number:02}",
            "uploader_id": "free-phones-4u",
            "kind": "title",
            "texts": _spam(chance),
            "at": BURST_AT + timedelta(seconds=late_s),
            "at_least": _burst_at_least(number),
            "why": f"copy {number} of {BURST_SIZE} of one spam within three minutes",
        }


def _spam(chance: random.Random) -> Mapping[str, str]:
    """Word the spam a little differently each time, as senders do against filters."""
    left = chance.randrange(2, 99)
    free = chance.choice(("FREE", "free", "Free"))
    who = chance.choice(("followers", "fans", "friends"))
    ending = chance.choice(("!", "!!", "!!!", " today!", " now!"))
    return {
        "title": f"Win a {free} phone{ending}",
        "description": f"Only {left} phones left for my {who}. Follow this channel and "
        f"message us the word PHONE to claim yours{ending}",
    }


def _burst_at_least(number: int) -> str:
    if number >= REVIEWED_FROM:
        return "review"
    return "limit" if number >= LIMITED_FROM else "allow"
