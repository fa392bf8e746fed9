"""A seeded stream of uploads of every kind, with repeats and bytes that are no event.

Texts mostly; uploaders with one upload and a few with many; pictures by file and over
http, short speech, the same event twice, an event's next revision, undecodable bytes.
"""

import io
import random
import wave
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
from PIL import Image

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import ContentIngested, Kind, MediaRef
from schemas.topics import INGESTED
from streams.messages import Output
from tests.integration.mixed_events import SAMPLES, TITLES, broken_values

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
BUSY_UPLOADERS = 8
PICTURES = 24
# The first seconds of a sample: PocketSphinx takes about as long as the sound lasts.
SPEECH = ("german_talk.ogg", "spanish_talk.ogg", "support_line.ogg")
SPEECH_S = 1.5
SAMPLE_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Mix:
    """How often each kind comes, of all events; the rest are texts."""

    picture_file: float = 0.02
    picture_http: float = 0.03
    speech: float = 0.01
    repeated: float = 0.02  # The same event once more, a little later.
    revised: float = 0.02
    broken: float = 0.01


class Uploads:
    """Makes the events and the media that they name."""

    def __init__(self, seed: int, media: Path, http: str, mix: Mix | None = None):
        self._random = random.Random(seed)
        self._media, self._http = media, http
        self._mix = mix or Mix()
        self._codec = Codec(CommittedIds())
        self._broken = [value for value in broken_values() if value is not None]
        self._sent: list[ContentIngested] = []
        self._write_media(seed)

    def outputs(self, count: int) -> Iterator[Output]:
        """Yield that many records, a broken one never first."""
        for n in range(count):
            drawn = self._random.random()
            if n and drawn < self._mix.broken:
                value = self._random.choice(self._broken) + b"%d" % n
                yield Output(INGESTED.name, b"broken-%d" % n, value)
                continue
            event = self._next(n, self._random.random())
            value = self._codec.encode(event)
            yield Output(INGESTED.name, event.content_id.encode(), value)

    def _next(self, n: int, drawn: float) -> ContentIngested:
        mix = self._mix
        if self._sent and drawn < mix.repeated:
            return self._random.choice(self._sent[-200:])
        drawn -= mix.repeated
        if self._sent and 0 <= drawn < mix.revised:
            event = self._random.choice(self._sent[-200:])
            event = replace(event, revision=event.revision + 1)
        else:
            event = self._upload(n, drawn - mix.revised)
        self._sent.append(event)
        return event

    def _upload(self, n: int, drawn: float) -> ContentIngested:
        busy = self._random.random() < 1 / 7
        whose = self._random.randrange(BUSY_UPLOADERS) if busy else n
        kind, media = self._media_of(drawn)
        title = self._random.choice(TITLES).format(n=n)
        return ContentIngested(
            content_id=f"content-{n}",
            uploader_id=f"{'busy' if busy else 'uploader'}-{whose}",
            kind=kind,
            event_time=START + timedelta(seconds=7 * n),
            texts=(("title", title),),
            media=media,
        )

    def _media_of(self, drawn: float) -> tuple[Kind, tuple[MediaRef, ...]]:
        mix = self._mix
        picture = f"cover-{self._random.randrange(PICTURES)}.png"
        if 0 <= drawn < mix.picture_file:
            return Kind.COVER_ART, (MediaRef("cover", self._file(picture)),)
        drawn -= mix.picture_file
        if 0 <= drawn < mix.picture_http:
            return Kind.COVER_ART, (MediaRef("cover", f"{self._http}/{picture}"),)
        drawn -= mix.picture_http
        if 0 <= drawn < mix.speech:
            sound = Path(self._random.choice(SPEECH)).stem + ".wav"
            return Kind.PODCAST_EPISODE, (MediaRef("audio", self._file(sound)),)
        return Kind.TITLE, ()

    def _file(self, name: str) -> str:
        return (self._media / name).resolve().as_uri()

    def _write_media(self, seed: int) -> None:
        for n in range(PICTURES):
            rng = np.random.default_rng((seed, n))
            coarse = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
            with io.BytesIO() as file:
                Image.fromarray(coarse).resize((128, 128)).save(file, "PNG")
                (self._media / f"cover-{n}.png").write_bytes(file.getvalue())
        for name in SPEECH:
            beginning(SAMPLES / name, self._media / f"{Path(name).stem}.wav")


def beginning(source: Path, target: Path) -> None:
    """Write the first `SPEECH_S` seconds of a sound as a WAV file."""
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE_HZ)
    samples = bytearray()
    wanted = int(SPEECH_S * SAMPLE_RATE_HZ) * 2  # Two bytes each.
    with av.open(str(source)) as sound:
        for frame in sound.decode(audio=0):
            for part in resampler.resample(frame):
                samples += part.to_ndarray().astype("<i2").tobytes()
            if len(samples) >= wanted:
                break
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(bytes(samples[:wanted]))
