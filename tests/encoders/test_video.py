"""Facts about key frames."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from encoders.bank_entries import ContentHash, KnownHash
from encoders.banks import HashBank
from encoders.hashing import hamming, pdq
from encoders.media_format import MediaLimits
from encoders.signals import EncodeError, Pixels
from encoders.video import FRAME_SIDE_PX
from encoders.video import key_frames as each_key_frame
from tests.media_builders import (
    LIMITS,
    a_picture,
    a_sound_file,
    a_video_file,
    encoded,
    with_cover,
)

Find = Callable[[str], Path]


def key_frames(data: bytes, limits: MediaLimits, max_frames: int = 16) -> list[Pixels]:
    """Decode the key frames at once."""
    return list(each_key_frame(data, limits, max_frames))


def cells(line: str) -> list[str]:
    """Split a line of vPDQ's output: frame, quality, hash, second."""
    return line.split(",")


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("mp4", "libx264"),
        ("mov", "mpeg4"),
        ("webm", "libvpx-vp9"),
        ("matroska", "libvpx"),
    ],
)
def test_key_frames_come_with_their_time(container: str, codec: str) -> None:
    """Every codec gives RGB frames, in order, each at its second."""
    data = a_video_file(3, container=container, codec=codec, sound_codec=None)

    frames = key_frames(data, LIMITS)

    times = [frame.frame_s for frame in frames]
    assert len(frames) >= 5
    assert times[0] == 0.0
    assert times == sorted(set(times))
    assert times[-1] >= 2
    for frame in frames:
        assert (frame.rgb.shape, frame.rgb.dtype) == ((64, 96, 3), np.uint8)
        assert frame.rgb[:16].mean() > 220
        shade = int(frame.frame_s * 10) * 2 % 200  # As the builder painted it.
        assert frame.rgb[-16:].mean() == pytest.approx(shade, abs=8)


@pytest.mark.parametrize("duration_s", [6, 25])
def test_many_key_frames_are_thinned_evenly(duration_s: int) -> None:
    """Of 60 or 250 key frames six are taken, from the first to near the last."""
    data = a_video_file(duration_s, key_every_s=0.1, sound_codec=None)

    times = [frame.frame_s for frame in key_frames(data, LIMITS, max_frames=6)]

    assert len(times) == 6
    assert times[0] == 0.0
    assert times[-1] > 0.9 * duration_s
    assert np.diff(times).max() < 1.3 * np.diff(times).min()


def test_frames_that_are_no_key_frames_are_not_shown() -> None:
    """A container that calls every frame a key frame doesn't bring up broken ones."""
    data = a_video_file(3, container="mov", codec="mpeg4", sound_codec=None)

    frames = key_frames(data.replace(b"stss", b"free"), LIMITS)

    assert frames
    for frame in frames:
        shade = int(frame.frame_s * 10) * 2 % 200
        assert frame.rgb[:16].mean() > 220
        assert frame.rgb[-16:].mean() == pytest.approx(shade, abs=8)


@pytest.mark.parametrize(("turned", "bright"), [(90, "left"), (180, "bottom")])
def test_frames_are_upright(turned: int, bright: str) -> None:
    """A video marked as turned is turned as a player does it."""
    frame = key_frames(a_video_file(1, turned=turned), LIMITS)[0].rgb

    halves = {"left": frame[:, :16], "bottom": frame[-16:]}
    assert halves[bright].mean() > 220
    assert frame.shape[:2] == ((96, 64) if turned == 90 else (64, 96))


def test_large_frames_are_scaled() -> None:
    """No frame is larger than anything here looks at."""
    data = a_video_file(0.3, size=(2048, 512), codec="mpeg4", sound_codec=None)

    assert key_frames(data, LIMITS)[0].rgb.shape == (320, FRAME_SIDE_PX, 3)


def reference(file: Path) -> dict[float, str]:
    """Read vPDQ's own hashes of a video, by second."""
    lines = file.with_suffix(".vpdq.txt").read_text().split()
    return {float(time): value for _, _, value, time in map(cells, lines)}


def test_real_key_frames_hash_like_the_reference(shared_data: Find) -> None:
    """PDQ of our frames is at most 6 bits from vPDQ's at that second."""
    for file in sorted(shared_data("tmk_videos").glob("*.mp4")):
        expected = reference(file)

        frames = key_frames(file.read_bytes(), LIMITS)

        assert len(frames) >= 4, file.name
        for frame in frames:
            bits = hamming(pdq(frame).hex, expected[frame.frame_s])
            assert bits <= 6, (file.name, frame.frame_s)


# Which of the five shows which to vPDQ's rule: a bar or a logo over the picture is
# another picture to it, and a small logo is the grey bar.
GROUPS = (
    {"pattern-hd-no-bar", "pattern-longer-no-bar"},
    {"pattern-sd-grey-bar", "pattern-sd-with-small-logo-bar"},
    {"pattern-sd-with-large-logo-bar"},
)


def test_uploads_are_found_by_vpdq_hashes_from_elsewhere(shared_data: Find) -> None:
    """Our key frames against the reference hashes of every frame: groups hold."""
    files = sorted(shared_data("tmk_videos").glob("*.mp4"))
    known = [
        KnownHash(file.stem, "vpdq", "".join(reference(file).values()), "HATE")
        for file in files
    ]
    bank = HashBank.of("b", "", known)

    for file in files:
        looked = [
            ContentHash("pdq", (seen := pdq(frame)).hex, seen.quality, "video")
            for frame in key_frames(file.read_bytes(), LIMITS)
        ]
        (group,) = [group for group in GROUPS if file.stem in group]
        assert {hit.entry_id for hit in bank.match(looked)} == group


def test_a_video_cut_short_gives_what_it_has(shared_data: Find) -> None:
    """The frames before the cut are there."""
    data = (shared_data("tmk_videos") / "pattern-sd-grey-bar.mp4").read_bytes()

    frames = key_frames(data[: len(data) // 2], LIMITS)

    assert [frame.frame_s for frame in frames] == [0.0, 2.0]


def test_a_stream_larger_than_its_container_says_is_refused() -> None:
    """The decoder's own limit on pixels holds where the header lies."""
    data = a_video_file(0.5, size=(640, 480), container="mov", codec="mpeg4")
    stated = bytes.fromhex("028001e0")  # 640 × 480 in the sample entry.
    assert data.count(stated) == 1
    data = data.replace(stated, bytes.fromhex("00100010"))

    with pytest.raises(EncodeError) as refusal:
        key_frames(data, MediaLimits(10**6, 60, max_pixels=100_000))

    assert refusal.value.code == "undecodable"  # Not `too_large`, after decoding it.


@pytest.mark.parametrize(
    ("data", "limits", "code"),
    [
        (b"", LIMITS, "empty"),
        (b"moving words\n" * 999, LIMITS, "unknown_format"),
        (a_sound_file("mp4"), LIMITS, "no_video"),
        (with_cover(a_sound_file("mp3"), encoded(a_picture())), LIMITS, "no_video"),
        (a_video_file(2), MediaLimits(10**6, max_s=1), "too_long"),
        (a_video_file(1), MediaLimits(10**6, 60, max_pixels=6000), "too_large"),
        (a_video_file(1)[:2000], LIMITS, "undecodable"),
    ],
)
def test_what_has_no_pictures_is_named(
    data: bytes, limits: MediaLimits, code: str
) -> None:
    """Each reason for having no frame has its own short word."""
    with pytest.raises(EncodeError) as refusal:
        key_frames(data, limits)

    assert refusal.value.code == code
