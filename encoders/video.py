"""Pictures from a video: key frames, for hashes and picture models.

After `media_format`; the sound track goes its own way, through `audio`.
"""

from collections.abc import Iterator
from typing import Final

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from encoders.media_format import (
    AUDIO_CODECS,
    VIDEO_CODECS,
    MediaLimits,
    check_codec,
    check_length,
    check_pixels,
    declared_s,
    open_container,
    shown_video,
)
from encoders.signals import EncodeError, Pixels

# Each takes 8 MB of the sandbox's address space; one key frame gains little from more.
_THREADS: Final = 2
# vPDQ hashes frames as they are: scaled to PDQ's 512 pixels first, they are 12 bits off
# its reference hashes on average, and 26 at most; unscaled 1 and 6. Hashing a frame of
# this size takes 40 ms, one of 1920 pixels 200 ms.
FRAME_SIDE_PX: Final = 1280
_KEPT_PER_FRAME: Final = 16  # Halving this many leaves an even spread to choose from.


def key_frames(
    data: bytes, limits: MediaLimits, max_frames: int = 16
) -> Iterator[Pixels]:
    """Decode up to `max_frames` key frames, evenly spread, in order of time.

    One at a time, as they are asked for. They are scaled to at most FRAME_SIDE_PX a
    side; `frame_s` is always set.
    What happens between key frames is not seen.

    Raises:
        EncodeError: `empty`, `too_large`, `too_long`, `unknown_format`, `no_video` or
            `undecodable` (not one frame).
    """
    with open_container(data, limits, AUDIO_CODECS + VIDEO_CODECS) as container:
        stream = _picture_track(container, limits)
        check_length(declared_s(container, data), limits)
        none = True
        for packet in _spread(_key_packets(container, stream, max_frames), max_frames):
            if (frame := _decode(stream, packet)) is not None:
                none = False
                yield _pixels(frame, _time_s(packet), limits)
    if none:
        raise EncodeError("undecodable", "the video has no key frame to decode")


def _picture_track(container: InputContainer, limits: MediaLimits) -> VideoStream:
    """Find the pictures and set their decoder's limits, before it is opened."""
    stream = shown_video(container)
    if stream is None:
        raise EncodeError("no_video", "the file has no moving pictures")
    check_codec(stream, VIDEO_CODECS)
    context = stream.codec_context
    check_pixels(context.width, context.height, limits)
    # The stream itself may state another size than the container does.
    context.options = {"max_pixels": str(limits.max_pixels)}
    context.thread_count = _THREADS
    context.skip_frame = "NONKEY"  # A container may call any frame a key frame.
    return stream


def _key_packets(
    container: InputContainer, stream: VideoStream, max_frames: int
) -> "list[Packet[VideoStream]]":
    """Collect key packets undecoded, thinned on the way to bound memory."""
    kept: list[Packet[VideoStream]] = []
    seen, stride = 0, 1
    try:
        for packet in container.demux(stream):
            if not packet.is_keyframe or packet.size == 0:
                continue
            if seen % stride == 0:
                kept.append(packet)
            if len(kept) > _KEPT_PER_FRAME * max_frames:
                kept, stride = kept[::2], stride * 2
            seen += 1
    except av.FFmpegError:
        pass  # A file cut short: the frames before its end are good.
    return kept


def _spread(
    packets: "list[Packet[VideoStream]]", max_frames: int
) -> "list[Packet[VideoStream]]":
    """Thin to `max_frames`, first and last among them."""
    if len(packets) <= max_frames:
        return packets
    places = np.linspace(0, len(packets) - 1, max_frames).round().astype(int)
    return [packets[place] for place in places]


def _time_s(packet: "Packet[VideoStream]") -> float:
    return float(packet.pts * packet.time_base) if packet.pts is not None else 0.0


def _decode(stream: VideoStream, packet: "Packet[VideoStream]") -> VideoFrame | None:
    """Decode one key packet, which stands alone; None where it is bad."""
    context = stream.codec_context
    try:
        frames = [*context.decode(packet), *context.decode(None)]
    except av.FFmpegError:
        frames = []
    context.flush_buffers()  # After the end, None, a decoder takes no more without.
    return frames[0] if frames else None


def _pixels(frame: VideoFrame, frame_s: float, limits: MediaLimits) -> Pixels:
    """Scale and turn one frame as a player shows it."""
    check_pixels(frame.width, frame.height, limits)
    scale = min(1.0, FRAME_SIDE_PX / max(frame.width, frame.height))
    width = max(1, round(frame.width * scale))
    height = max(1, round(frame.height * scale))
    rgb = frame.to_ndarray(format="rgb24", width=width, height=height)
    turned = np.rot90(rgb, round(frame.rotation / 90))  # Both count anticlockwise.
    return Pixels(np.ascontiguousarray(turned, dtype=np.uint8), frame_s)
