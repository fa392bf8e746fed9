"""Facts about MP4 files that claim more than they hold."""

import io
import struct
import time

import av
import numpy as np
import pytest

from encoders.media_format import MediaLimits, probe_media
from encoders.signals import EncodeError
from tests.media_builders import LIMITS, a_sound_file, a_tone, a_video_file

CLAIMED = 2**25


def a_fragmented_file() -> bytes:
    """Build an MP4 whose index is spread over the file, as for streaming."""
    with io.BytesIO() as file:
        options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
        with av.open(file, "w", format="mp4", options=options) as output:
            stream = output.add_stream("flac", rate=16_000)
            stream.layout = "mono"
            tone = np.ascontiguousarray(a_tone(1, 16_000)[:, :4096])
            for number in range(4):
                frame = av.AudioFrame.from_ndarray(tone, "s16", "mono")
                frame.sample_rate, frame.pts = 16_000, number * 4096
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        return file.getvalue()


def claiming(data: bytes, box: bytes, field: bytes, offset: int) -> bytes:
    """Overwrite a field of the first box of that name."""
    place = data.index(box) + offset
    return data[:place] + field + data[place + len(field) :]


BOMBS = {
    "stsz": claiming(a_sound_file("mp4"), b"stsz", struct.pack(">II", 2, CLAIMED), 8),
    "trun": claiming(a_fragmented_file(), b"trun", struct.pack(">II", 0, CLAIMED), 4),
}


@pytest.mark.parametrize("box", BOMBS)
def test_an_index_bomb_is_refused_at_once(box: str) -> None:
    """Some kilobytes that claim 33 million samples cost no time."""
    start = time.process_time()

    with pytest.raises(EncodeError, match="claims 335") as refusal:
        probe_media(BOMBS[box], LIMITS)

    assert refusal.value.code == "undecodable"
    assert time.process_time() - start < 0.2


def test_many_small_claims_are_added_up() -> None:
    """Boxes that are each within bounds are not, together."""
    data = a_sound_file("mp4")
    place = data.index(b"stsz")
    claim = struct.pack(">I4sIII", 20, b"stsz", 0, 1, len(data) // 2)

    with pytest.raises(EncodeError, match="claims"):
        probe_media(data[: place - 4] + claim * 3 + data[place - 4 :], LIMITS)


def test_a_bomb_behind_an_unknown_box_is_not_opened() -> None:
    """What doesn't begin as an MP4 is not taken for one later."""
    data = struct.pack(">I4sQ", 16, b"what", 0) + BOMBS["stsz"]

    with pytest.raises(EncodeError) as refusal:
        probe_media(data, LIMITS)

    assert refusal.value.code == "unknown_format"


def test_a_compressed_index_is_refused() -> None:
    """It could hide any claim."""
    data = a_sound_file("mov")
    hidden = struct.pack(">I4sI4s4s", 20, b"cmov", 12, b"dcom", b"zlib")

    with pytest.raises(EncodeError, match="compressed"):
        probe_media(data + hidden, LIMITS)


@pytest.mark.parametrize(
    "data",
    [
        a_sound_file("mov"),  # One sample is two bytes here.
        a_sound_file("mp4"),
        a_fragmented_file(),
        a_video_file(2),
        # Media bytes may look like anything; they claim nothing.
        a_sound_file("mp4")
        + struct.pack(">I4s4sIII", 28, b"mdat", b"stsz", 0, 9, CLAIMED),
    ],
)
def test_honest_files_are_taken(data: bytes) -> None:
    """The check costs no real file its signals."""
    assert probe_media(data, MediaLimits(10**6, 60)).duration_s is not None
