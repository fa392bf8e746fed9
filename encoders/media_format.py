"""What a sound or video file is, from its bytes alone, and opening it within limits.

First step of `audio` and `video`: FFmpeg gets bytes in memory, never a name, and only
the formats and codecs listed here. What it would do otherwise was measured: an SDP
text named .mp3 opens a socket, a PNG cover in an MP3 takes 600 MB.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import av
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from encoders.mp4_index import begins_as_mp4, index_fault
from encoders.signals import EncodeError, MediaProbe

# FFmpeg's names of demuxers and decoders; extend deliberately: each is more code that
# hostile bytes can reach.
FORMATS: Final = ("wav", "mp3", "flac", "ogg", "mov", "matroska", "aac")
AUDIO_CODECS: Final = (
    *("mp3float", "mp3", "aac", "flac", "opus", "vorbis", "alac"),
    *("pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le"),
    *("pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw"),
)
VIDEO_CODECS: Final = ("h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "mpeg4")

_MIMES: Final = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "mov": "video/mp4",
    "matroska": "video/x-matroska",
}
_SIGNATURES: Final = (
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"ID3", "mp3"),
    (b"\x1a\x45\xdf\xa3", "matroska"),
)
_HEAD_BYTES: Final = 4096  # A first MP3 frame and an EBML header both fit.


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """How much media is taken; more is refused with `too_large` or `too_long`."""

    max_bytes: int
    max_s: float
    max_pixels: int = (
        64_000_000  # Of a picture or frame; one of 8K video has 33 million.
    )
    max_side_px: int = 32_768  # No camera's side is longer; JPEG ends at 65,535.


def check_size(data: bytes, limits: MediaLimits) -> None:
    """Refuse nothing at all and too much, before any decoder sees it."""
    if not data:
        raise EncodeError("empty", "the media has 0 bytes; expected a file's content")
    if len(data) > limits.max_bytes:
        raise EncodeError(
            "too_large", f"{len(data)} bytes; at most {limits.max_bytes} are taken"
        )


def check_pixels(width_px: int, height_px: int, limits: MediaLimits) -> None:
    """Refuse a picture or frame whose decoding would take too much memory."""
    longest = max(width_px, height_px)
    if width_px * height_px > limits.max_pixels or longest > limits.max_side_px:
        raise EncodeError(
            "too_large",
            f"{width_px}×{height_px} pixels; at most {limits.max_pixels} pixels and "
            f"{limits.max_side_px} a side are taken",
        )


def check_length(duration_s: float | None, limits: MediaLimits) -> None:
    """Refuse what lasts longer than the limit; None, not known, passes."""
    if duration_s is not None and duration_s > limits.max_s:
        raise EncodeError(
            "too_long", f"{duration_s:.1f} s; at most {limits.max_s:.1f} s are taken"
        )


def open_container(
    data: bytes, limits: MediaLimits, codecs: Sequence[str] = AUDIO_CODECS
) -> InputContainer:
    """Open bytes as sound or video; close the result, it is a context manager.

    `codecs` are the decoders that FFmpeg may use to find out about the streams. They
    are sound's by default, so that no picture in a sound file is ever decoded.

    Raises:
        EncodeError: `empty`, `too_large`, `unknown_format` or `undecodable`.
    """
    check_size(data, limits)
    is_mp4 = begins_as_mp4(data)
    if is_mp4 and (fault := index_fault(data)):
        raise EncodeError("undecodable", f"begins as an MP4, but {fault}")
    formats = FORMATS if is_mp4 else tuple(name for name in FORMATS if name != "mov")
    options = {
        "protocol_whitelist": "none",
        "format_whitelist": ",".join(formats),
        "codec_whitelist": ",".join(codecs),
        "max_pixels": str(limits.max_pixels),
    }
    try:
        # Tags in other encodings than UTF-8 are common, and no reason to refuse.
        container = av.open(
            io.BytesIO(data), "r", options=options, metadata_errors="replace"
        )
        if container.streams.audio or container.streams.video:
            return container
        container.close()
        raise ValueError("no sound, no pictures: all that a damaged index leaves")
    except (av.FFmpegError, ValueError, OverflowError) as error:
        mime = _signature_mime(data)
        if mime is None:
            raise EncodeError(
                "unknown_format",
                f"the bytes are of no known format; expected {', '.join(FORMATS)}",
            ) from error
        raise EncodeError(
            "undecodable", f"begins as {mime} but can't be opened: cut short or damaged"
        ) from error


def probe_media(data: bytes, limits: MediaLimits) -> MediaProbe:
    """Say what a sound or video file is, from its headers; decodes no picture.

    `duration_s` is None where the headers don't state it. The file's name and its
    declared type play no part.

    Raises:
        EncodeError: `empty`, `too_large`, `too_long`, `unknown_format`, `undecodable`.
    """
    with open_container(data, limits) as container:
        duration_s = declared_s(container, data)
        check_length(duration_s, limits)
        video = shown_video(container)
        context = video.codec_context if video else None  # None: codec not known.
        return MediaProbe(
            mime=_mime(data, container, has_video=video is not None),
            has_audio=bool(container.streams.audio),
            has_video=video is not None,
            duration_s=duration_s,
            width_px=(context.width or None) if context else None,
            height_px=(context.height or None) if context else None,
        )


def declared_s(container: InputContainer, data: bytes) -> float | None:
    """Return the length in seconds that the file states, or None.

    FFmpeg guesses where a raw MP3 or AAC stream states nothing, from the bit rate of
    its first frames; a guess that can be far off is not passed on.
    """
    duration = container.duration
    name = container.format.name
    if name == "aac" or (name == "mp3" and not _has_mp3_length(data)):
        return None
    return duration / av.time_base if duration and duration > 0 else None


def shown_video(container: InputContainer) -> VideoStream | None:
    """Return the first stream of moving pictures; a cover picture is none."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def check_codec(stream: Stream, codecs: Sequence[str]) -> None:
    """Refuse a stream whose decoder is not on the list.

    FFmpeg's `codec_whitelist` covers the search for streams only: PyAV opens a decoder
    of its own for the frames, and would not ask.
    """
    codec = stream.codec_context.codec.name if stream.codec_context else "none known"
    if codec not in codecs:
        raise EncodeError(
            "undecodable", f"codec {codec}; expected one of {', '.join(codecs)}"
        )


def _has_mp3_length(data: bytes) -> bool:
    """Tell whether the first MP3 frame counts the frames (Xing, Info or VBRI)."""
    start = 0
    if data[:3] == b"ID3" and len(data) >= 10:  # Its size: four bytes of seven bits.
        size = data[6:10]
        start = 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
    head = data[start : start + _HEAD_BYTES]
    return any(tag in head for tag in (b"Xing", b"Info", b"VBRI"))


def _mime(data: bytes, container: InputContainer, *, has_video: bool) -> str:
    """Name the type of an opened file; sound alone in MP4 or Matroska is `audio/`."""
    name = container.format.name.split(",")[0]
    mime = _MIMES[name]
    if name == "matroska" and b"webm" in data[:_HEAD_BYTES]:
        mime = "video/webm"
    if name == "mov" and data[8:12] == b"qt  ":
        return "video/quicktime"  # It has no audio/ name of its own.
    return mime if has_video else mime.replace("video/", "audio/")


def _signature_mime(data: bytes) -> str | None:
    """Name the type that the first bytes claim, for a file that can't be opened."""
    head = data[:12]
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        return _MIMES["wav"]
    if begins_as_mp4(head):
        return _MIMES["mov"]
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return _MIMES[name]
    return None


def ffmpeg_version() -> str:
    """Return the version of the FFmpeg that decodes here: its CVEs go by it."""
    return str(av.ffmpeg_version_info)
