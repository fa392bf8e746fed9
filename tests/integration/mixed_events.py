"""Five hundred uploads of every kind, ten of them broken: the main job's proof.

Text, real speech where the shared data lies beside the checkout, else the samples' own,
pictures, video; most uploaders with one upload, some with many.
"""

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import (
    ContentIngested,
    ContentSignals,
    Kind,
    MediaRef,
    Stage,
)
from schemas.topics import INGESTED
from streams.messages import Output

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
SAMPLES = ROOT / "deploy" / "samples" / "media"
START = datetime(2026, 11, 2, 8, tzinfo=UTC)

TITLES = (
    "Morning rain, take {n}",
    "How to bake bread, part {n}",
    "Win a free phone now, click the link in my profile, code {n}",
    "Episode {n}: a walk along the old canal",
    "I will find you and I will kill you, verse {n}",
    "Canción del mar {n}",
    "Kleines Nachtlied Nr. {n}",
    "港の見える丘 {n}",
    "Remix {n} of nothing in particular",
    "Your account is locked, send us your bank details, case {n}",
)


@dataclass(frozen=True)
class Mixed:
    """The events, and the records that are none."""

    events: list[ContentIngested]
    broken: list[bytes | None]

    def outputs(self, codec: Codec) -> list[Output]:
        """Return all of them as records, the broken ones spread among the others."""
        outputs = [
            Output(INGESTED.name, e.content_id.encode(), codec.encode(e))
            for e in self.events
        ]
        for i, value in enumerate(self.broken):
            place = 7 + i * (len(outputs) // len(self.broken))
            outputs.insert(place, Output(INGESTED.name, b"broken%d" % i, value))
        return outputs


def mixed_events(folder: Path, good: int = 490) -> Mixed:
    """Make the events; media files are written to, or copied into, `folder`."""
    media = [*_speech(folder), *_pictures(folder), *_videos(folder)]
    events = [
        _event(n, media[n // 8] if n % 8 == 0 and n // 8 < len(media) else None)
        for n in range(good)
    ]
    return Mixed(events, broken_values())


def _event(n: int, media: tuple[Kind, MediaRef] | None) -> ContentIngested:
    """Make the nth event; each seventh belongs to one of eight busy uploaders."""
    uploader = f"busy-{n % 8}" if n % 7 == 0 else f"uploader-{n}"
    return ContentIngested(
        content_id=f"content-{n}",
        uploader_id=uploader,
        kind=media[0] if media else Kind.TITLE,
        event_time=START + timedelta(seconds=11 * n),
        texts=(("title", TITLES[n % len(TITLES)].format(n=n)),),
        media=(media[1],) if media else (),
    )


def _speech(folder: Path) -> list[tuple[Kind, MediaRef]]:
    """Return real speech, or the samples' where the shared data is absent."""
    real = [SHARED / "speech_jfk" / "jfk.flac", *SHARED.glob("ljspeech/*.flac")]
    found = sorted(file for file in real if file.is_file())
    if not found:
        found = sorted(SAMPLES.glob("podcast_*.flac")) + sorted(SAMPLES.glob("b*.flac"))
    return [
        (Kind.PODCAST_EPISODE, _copied(file, folder, "audio")) for file in found[:3]
    ]


def _pictures(folder: Path) -> list[tuple[Kind, MediaRef]]:
    return [(Kind.COVER_ART, _picture(folder, seed)) for seed in range(20)]


def _picture(folder: Path, seed: int) -> MediaRef:
    coarse = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    with io.BytesIO() as file:
        Image.fromarray(coarse).resize((256, 256)).save(file, "PNG")
        path = folder / f"cover-{seed}.png"
        path.write_bytes(file.getvalue())
    return MediaRef("cover", path.resolve().as_uri(), "image/png")


def _videos(folder: Path) -> list[tuple[Kind, MediaRef]]:
    files = sorted(SHARED.glob("tmk_videos/*grey*.mp4")) or [SAMPLES / "bridge.mp4"]
    return [(Kind.VIDEO, _copied(file, folder, "video")) for file in files[:1]]


def _copied(file: Path, folder: Path, role: str) -> MediaRef:
    path = folder / file.name
    path.write_bytes(file.read_bytes())
    return MediaRef(role, path.resolve().as_uri())


def broken_values() -> list[bytes | None]:
    """Return ten values that are no event, each in its own way."""
    codec = Codec(CommittedIds())
    event = ContentIngested("c", "u", Kind.TITLE, START, texts=(("title", "héllo"),))
    good = codec.encode(event)
    other = codec.encode(ContentSignals(event, Stage.COMPLETE))
    return [
        b"not Avro at all",
        b"",
        None,
        good[:-3],  # Cut short.
        good + b"\x00",  # Something after the end.
        b"\x00\x00\x00\x03\xe7" + good[5:],  # A schema id that nobody knows.
        other,  # Another topic's schema.
        good.replace("é".encode(), b"\xc3\x28"),  # Invalid UTF-8.
        json.dumps({"specversion": "1.0"}).encode(),
        bytes(range(256)) * 4,
    ]
