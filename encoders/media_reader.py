"""The port through which media is decoded; bytes in, what they show and sound like out.

Above `audio`, `video`, `image` and `hashing`. `InProcessReader` decodes where it is
called; `sandbox.SandboxedReader` does the same in confined processes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from PIL import Image

from encoders.audio import DecodedAudio, SoundDecoding, decode_audio
from encoders.hashing import PdqHash, pdq
from encoders.image import decode_image, image_mime, probe_image
from encoders.media_format import MediaLimits, probe_media
from encoders.signals import EncodeError, MediaProbe, Pixels
from encoders.sound_stream import SoundStream
from encoders.video import key_frames

MODEL_SIDE_PX: Final = 448  # The shorter side; picture models look at 224 to 448.


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """A picture, or a key frame of a video with its second: its perceptual hash."""

    pdq: PdqHash
    frame_s: float | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why something can't be decoded: `EncodeError` as a value."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class MediaLook:
    """What media is and shows; `frames_fault` where its moving pictures can't be had.

    The sound of such a video may still be good.
    """

    probe: MediaProbe
    pictures: tuple[SeenPicture, ...] = ()
    frames_fault: Fault | None = None


class MediaReader(Protocol):
    """Decodes media within limits; calls block and may come from any thread.

    Its methods raise `EncodeError` where the content can't be used, and
    `DecoderUnavailableError` where nothing can be decoded now, whatever the content.
    """

    def probe(self, data: bytes) -> MediaProbe:
        """Say what a picture, sound or video is, from its headers."""

    def examine(self, data: bytes) -> MediaLook:
        """Say what media is, and hash the pictures that it shows."""

    def audio(self, data: bytes) -> DecodedAudio:
        """Decode the whole first sound track: see `audio.decode_audio`."""

    def open_sound(self, data: bytes, *, skip_samples: int = 0) -> SoundStream:
        """Return the first sound track as a stream, without its first samples.

        Decodes nothing yet: what it raises comes from `SoundStream.read`. Close it. It
        holds up no other call, however long it stays open.
        """

    def pictures(self, data: bytes) -> tuple[Pixels, ...]:
        """Decode a picture or a video's key frames, small, for models; () for sound."""

    def close(self) -> None:
        """End what was started; nothing can be decoded after."""


class InProcessReader:
    """Decodes in this process: for tests and debugging, not for strangers' uploads."""

    def __init__(self, limits: MediaLimits) -> None:
        self._limits = limits

    def probe(self, data: bytes) -> MediaProbe:
        """See `MediaReader`."""
        return probe_any(data, self._limits)

    def examine(self, data: bytes) -> MediaLook:
        """See `MediaReader`."""
        return look_at(data, self._limits)

    def audio(self, data: bytes) -> DecodedAudio:
        """See `MediaReader`."""
        return decode_audio(data, self._limits)

    def open_sound(self, data: bytes, *, skip_samples: int = 0) -> SoundStream:
        """See `MediaReader`."""
        return SoundStream(SoundDecoding(data, self._limits, skip_samples))

    def pictures(self, data: bytes) -> tuple[Pixels, ...]:
        """See `MediaReader`."""
        return tuple(small_pictures(data, self._limits))

    def close(self) -> None:
        """See `MediaReader`; there is nothing to end."""


def probe_any(data: bytes, limits: MediaLimits) -> MediaProbe:
    """Say what a picture, sound or video is, from its headers.

    Raises:
        EncodeError: see `image.probe_image` and `media_format.probe_media`.
    """
    if image_mime(data) is not None:
        return probe_image(data, limits)
    return probe_media(data, limits)


def look_at(data: bytes, limits: MediaLimits) -> MediaLook:
    """Say what media is, and hash the pictures that it shows.

    Raises:
        EncodeError: see `probe_any`; or a picture, not a video's frames, is damaged.
    """
    probe = probe_any(data, limits)
    if image_mime(data) is not None:
        return MediaLook(probe, (SeenPicture(pdq(decode_image(data, limits))),))
    if not probe.has_video:
        return MediaLook(probe)
    try:
        frames = key_frames(data, limits)
        return MediaLook(probe, tuple(SeenPicture(pdq(f), f.frame_s) for f in frames))
    except EncodeError as error:
        return MediaLook(probe, frames_fault=Fault(error.code, str(error)))


def small_pictures(data: bytes, limits: MediaLimits) -> Iterator[Pixels]:
    """Decode a picture or a video's key frames, for models; none of what is sound.

    Raises:
        EncodeError: see `look_at`; or the video's frames can't be had.
    """
    if image_mime(data) is not None:
        yield _small(decode_image(data, limits))
    elif probe_media(data, limits).has_video:
        for frame in key_frames(data, limits):
            yield _small(frame)


def _small(pixels: Pixels) -> Pixels:
    height, width, _ = pixels.rgb.shape
    scale = min(1.0, MODEL_SIDE_PX / min(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    image = Image.fromarray(pixels.rgb).resize(size, Image.Resampling.BICUBIC)
    return Pixels(np.asarray(image, dtype=np.uint8), pixels.frame_s)
