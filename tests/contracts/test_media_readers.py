"""What every `MediaReader` does; the sandboxed one gives the same, bit for bit."""

import sys

import numpy as np
import pytest

from encoders.media_format import MediaLimits
from encoders.media_reader import InProcessReader
from encoders.sandbox import SandboxedReader
from encoders.signals import EncodeError
from encoders.sound_stream import read_opening
from tests.media_builders import (
    CODECS,
    LIMITS,
    a_picture,
    a_sound_file,
    a_video_file,
    encoded,
)

MEDIA = {
    **{name: lambda name=name: a_sound_file(name, 2) for name in CODECS},
    **{
        name: lambda name=name: encoded(a_picture(1_500, 900, seed=3), name)
        for name in ("PNG", "JPEG", "WEBP", "GIF")
    },
    "transparent": lambda: encoded(a_picture().convert("LA")),
    "video": lambda: a_video_file(3),
    "webm": lambda: a_video_file(1, container="webm", codec="libvpx", sound_codec=None),
    "turned": lambda: a_video_file(1, turned=90, size=(320, 200)),
    "silent video": lambda: a_video_file(1, sound_codec=None),
    "cut video": lambda: a_video_file(2)[:-400],
    "cut sound": lambda: a_sound_file("ogg", 2)[:-2_000],
    "cut picture": lambda: encoded(a_picture(300, 300))[:-2_000],
    "nothing": lambda: b"",
    "words": lambda: b"words, not media",
    "too much": lambda: bytes(LIMITS.max_bytes + 1),
    "too long": lambda: a_sound_file("flac", LIMITS.max_s + 1),
}


@pytest.fixture(scope="module")
def sandboxed():
    """A sandboxed reader, shared: that it serves many is part of the contract."""
    reader = SandboxedReader(LIMITS)
    yield reader
    reader.close()


@pytest.fixture(params=["in_process", "sandboxed"])
def reader(request):
    """Every implementation."""
    if request.param == "in_process":
        return InProcessReader(LIMITS)
    return request.getfixturevalue("sandboxed")


def outcome(read, data):
    """Return what came out, as plain values that compare."""
    try:
        result = read(data)
    except EncodeError as error:
        return error.code, str(error)
    if hasattr(result, "waveform"):
        samples = result.waveform.samples
        return str(samples.dtype), samples.tobytes(), result.truncated
    if isinstance(result, tuple):
        return [(p.rgb.shape, p.rgb.tobytes(), p.frame_s) for p in result]
    return result


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
@pytest.mark.parametrize("name", MEDIA)
def test_both_give_the_same(sandboxed, name):
    """Probe, look, samples, refusals and their words: no difference at all."""
    data, here = MEDIA[name](), InProcessReader(LIMITS)
    for operation in ("probe", "examine", "audio"):
        expected = outcome(getattr(here, operation), data)

        assert outcome(getattr(sandboxed, operation), data) == expected


def test_a_picture_is_seen(reader):
    """Type, size and hash."""
    look = reader.examine(encoded(a_picture(64, 48)))

    assert (look.probe.mime, look.probe.width_px) == ("image/png", 64)
    assert look.pictures[0].pdq.quality > 0
    assert look.pictures[0].frame_s is None


def test_a_video_is_seen_with_its_seconds(reader):
    """Every key frame has its second."""
    look = reader.examine(a_video_file(2))

    seconds = [seen.frame_s for seen in look.pictures]
    assert seconds == sorted(seconds)
    assert look.probe.duration_s == pytest.approx(2, abs=0.1)


def test_frames_that_can_not_be_had_leave_the_sound(reader):
    """A video whose pictures are of no codec we take still has its facts."""
    look = reader.examine(a_video_file(1, codec="ffv1", container="matroska"))

    assert look.probe.has_audio
    assert look.frames_fault.code == "undecodable"
    assert look.pictures == ()


def test_sound_is_heard(reader):
    """Float32 in [-1, 1], as long as the file."""
    decoded = reader.audio(a_sound_file("flac", 2))

    assert decoded.waveform.duration_s == pytest.approx(2, abs=0.01)
    assert decoded.waveform.samples.dtype == np.float32
    assert 0.4 < np.abs(decoded.waveform.samples).max() <= 1


def test_the_opening_of_sound_is_heard(reader):
    """All of what is short, as `audio` gives it; what is no sound is refused."""
    data = a_sound_file("ogg", 2)

    opening = read_opening(reader.open_sound(data))

    np.testing.assert_array_equal(opening.samples, reader.audio(data).waveform.samples)
    with pytest.raises(EncodeError) as refusal:
        read_opening(reader.open_sound(a_video_file(1, sound_codec=None)))
    assert refusal.value.code == "no_audio"


@pytest.mark.parametrize("name", sorted(MEDIA))
def test_both_show_models_the_same(sandboxed, name):
    """Pixels, seconds, or why there are none."""
    data = MEDIA[name]()
    ours, theirs = (
        outcome(reader.pictures, data)
        for reader in (InProcessReader(LIMITS), sandboxed)
    )

    assert ours == theirs


@pytest.mark.parametrize(
    ("size", "shape"),
    [((1_500, 900), (448, 747, 3)), ((2_000, 90), (46, 1_024, 3)), ((9, 9), (9, 9, 3))],
)
def test_models_are_shown_small_pictures(reader, size, shape):
    """The shorter side has what the largest of them look at; nothing is enlarged."""
    (picture,) = reader.pictures(encoded(a_picture(*size)))

    assert picture.rgb.shape == shape
    assert picture.frame_s is None


def test_models_are_shown_key_frames_and_nothing_of_sound(reader):
    """Each with its second."""
    frames = reader.pictures(a_video_file(2))

    assert len(frames) >= 2
    assert frames[0].frame_s == 0
    assert frames[0].rgb[:16].mean() > 220
    assert reader.pictures(a_sound_file("flac", 1)) == ()


def test_limits_that_have_no_end_pass(sandboxed):
    """Whoever sniffs files of any length may say so."""
    unbounded = MediaLimits(max_bytes=1 << 24, max_s=float("inf"))
    reader = SandboxedReader(unbounded, processes=1)

    assert reader.audio(a_sound_file("wav", 1)).waveform.duration_s == 1
    reader.close()
