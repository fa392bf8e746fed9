"""Builders of sound, video and pictures as bytes, made when a test asks for them."""

import io
import struct

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray
from PIL import Image

from encoders.media_format import MediaLimits

LIMITS = MediaLimits(max_bytes=16 * 1024 * 1024, max_s=60)

CODECS = {
    "wav": "pcm_s16le",
    "mp3": "libmp3lame",
    "flac": "flac",
    "ogg": "libopus",
    "mov": "pcm_s16le",
    "mp4": "aac",
    "matroska": "libopus",
    "webm": "libopus",
    "adts": "aac",
}


def a_tone(duration_s: float, rate_hz: int = 48_000, hz: float = 440) -> NDArray:
    """Build a sine: int16, shape (1, n_samples)."""
    time_s = np.arange(int(duration_s * rate_hz)) / rate_hz
    wave = 16_000 * np.sin(2 * np.pi * hz * time_s)
    return wave.astype(np.int16).reshape(1, -1)


def a_sound_file(
    container: str = "flac", duration_s: float = 2, *, title: str = "", hz: float = 440
) -> bytes:
    """Build a sound file with one tone."""
    with io.BytesIO() as file:
        with av.open(file, "w", format=container) as output:
            if title:
                output.metadata["title"] = title
            stream = _sound_stream(output, CODECS[container])
            _write_sound(output, stream, duration_s, hz)
        return file.getvalue()


def a_video_file(
    duration_s: float = 2,
    *,
    container: str = "mp4",
    codec: str = "libx264",
    sound_codec: str | None = "aac",
    size: tuple[int, int] = (96, 64),
    key_every_s: float = 0.5,
    turned: int = 0,
) -> bytes:
    """Build a video whose upper half is white and whose brightness below rises."""
    with io.BytesIO() as file:
        with av.open(file, "w", format=container) as output:
            stream = output.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            stream.codec_context.gop_size = int(key_every_s * 10)
            if turned:
                stream.set_display_rotation(turned)
            sound = _sound_stream(output, sound_codec) if sound_codec else None
            for number in range(int(duration_s * 10)):
                picture = np.full((size[1], size[0], 3), number * 2 % 200, np.uint8)
                picture[: size[1] // 2] = 255
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts = number
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
            if sound:
                _write_sound(output, sound, duration_s, 440)
        return file.getvalue()


def a_picture(width: int = 64, height: int = 48, seed: int = 0) -> Image.Image:
    """Build an RGB picture with something to see on it."""
    small = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    """Encode a picture."""
    with io.BytesIO() as file:
        image.save(file, format, **options)
        return file.getvalue()


def with_cover(mp3: bytes, cover: bytes, mime: bytes = b"image/png") -> bytes:
    """Put a cover picture before an MP3, as an ID3v2.3 tag."""
    body = b"\0" + mime + b"\0\x03\0" + cover
    frame = b"APIC" + struct.pack(">IH", len(body), 0) + body
    size = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + frame + mp3


def _sound_stream(output: OutputContainer, codec: str) -> AudioStream:
    stream = output.add_stream(codec, rate=48_000)
    stream.layout = "mono"
    return stream


def _write_sound(
    output: OutputContainer, stream: AudioStream, duration_s: float, hz: float
) -> None:
    context = stream.codec_context
    context.open(strict=False)  # Tells how many samples it takes at a time.
    fitting = av.AudioResampler(context.format, "mono", 48_000, context.frame_size)
    frame = av.AudioFrame.from_ndarray(a_tone(duration_s, hz=hz), "s16", "mono")
    frame.sample_rate, frame.pts = 48_000, 0
    for part in (*fitting.resample(frame), *fitting.resample(None)):
        output.mux(stream.encode(part))
    output.mux(stream.encode(None))
