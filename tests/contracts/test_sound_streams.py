"""What reading a sound chunk by chunk gives, whichever reader decodes it."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest

from encoders.media_format import MediaLimits
from encoders.media_reader import InProcessReader
from encoders.sandbox import SandboxedReader
from encoders.sandbox_process import _cpu_s
from encoders.signals import SAMPLE_RATE_HZ, DecoderUnavailableError, EncodeError
from encoders.sound_stream import CHUNK_S
from tests.media_builders import a_picture, a_sound_file, encoded
from tests.security.test_sandbox import gone_within, rogue_command

LIMITS = MediaLimits(max_bytes=16 * 1024 * 1024, max_s=100)
PICTURE = encoded(a_picture())
a_sound = cache(a_sound_file)
linux = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


@pytest.fixture(scope="module")
def sandboxed():
    """A sandboxed reader with a place for one sound and one for all else."""
    reader = SandboxedReader(LIMITS, processes=1, sounds=1)
    yield reader
    reader.close()


@pytest.fixture(params=["in_process", pytest.param("sandboxed", marks=linux)])
def reader(request):
    """Every implementation."""
    if request.param == "in_process":
        return InProcessReader(LIMITS)
    return request.getfixturevalue("sandboxed")


def chunks_of(stream):
    """Read to the end; return the chunks."""
    with stream:
        return list(iter(stream.read, None))


def samples_of(chunks):
    """Return the samples of all chunks: float32, shape (n_samples,)."""
    return np.concatenate([np.empty(0, np.float32), *(c.samples for c in chunks)])


@pytest.mark.parametrize("container", ["flac", "ogg", "mp3", "wav", "matroska"])
def test_the_chunks_are_the_sound(reader, container):
    """Bit for bit what decoding it at once gives, in chunks of 30 s and a rest."""
    data = a_sound(container, 70)
    chunks = chunks_of(reader.open_sound(data))
    whole = InProcessReader(LIMITS).audio(data).waveform

    assert [round(c.duration_s) for c in chunks] == [CHUNK_S, CHUNK_S, 10]
    assert np.array_equal(samples_of(chunks), whole.samples)


@pytest.mark.parametrize("container", ["flac", "ogg", "mp3", "adts"])
@pytest.mark.parametrize("skip", [1, 479_999, 480_000, 700_123])
def test_what_is_skipped_is_skipped_exactly(reader, container, skip):
    """Not a sample more or less, also where frames build on one another."""
    data = a_sound(container, 50)
    rest = samples_of(chunks_of(reader.open_sound(data, skip_samples=skip)))
    whole = InProcessReader(LIMITS).audio(data).waveform.samples

    assert np.array_equal(rest, whole[skip:])


def test_skipping_past_the_end_is_the_end(reader):
    """Nothing is left of the sound, which is no failure of it."""
    stream = reader.open_sound(a_sound("flac", 2), skip_samples=10**6)

    assert stream.read() is None
    assert stream.truncated is None
    stream.close()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"words, not sound", "unknown_format"),
        (PICTURE, "unknown_format"),
        (a_sound("flac", 101), "too_long"),
        (bytes(LIMITS.max_bytes + 1), "too_large"),
        (a_sound("adts", 101), "too_long"),  # It does not tell: found on the way.
    ],
    ids=["empty", "words", "picture", "too long", "too large", "raw and too long"],
)
def test_what_is_no_sound_is_refused_when_it_is_read(reader, data, code):
    """With the same codes as decoding it at once; opening decodes nothing."""
    with reader.open_sound(data) as stream, pytest.raises(EncodeError) as refused:
        list(iter(stream.read, None))

    assert refused.value.code == code
    assert reader.examine(PICTURE).pictures


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (a_sound("flac", 40)[:-40_000], "too_short"),
        (a_sound("ogg", 40)[:-4_000], "no_last_page"),
        (a_sound("ogg", 40), None),
    ],
)
def test_the_last_word_says_whether_the_sound_is_whole(reader, data, why):
    """What could be decoded is given first."""
    stream = reader.open_sound(data)

    assert chunks_of(stream)
    assert stream.truncated == why


def test_an_open_sound_holds_up_nothing_else(reader):
    """Media is looked at, and after it is closed the next sound is read."""
    data = a_sound("ogg", 70)
    with reader.open_sound(data) as stream:
        assert stream.read().duration_s == CHUNK_S
        assert reader.examine(PICTURE).pictures
        assert stream.read().duration_s == CHUNK_S

    assert len(chunks_of(reader.open_sound(a_sound("flac", 50)))) == 2


@linux
def test_the_decoder_waits_for_who_reads():
    """It is two seconds of sound ahead at most, whatever the sound's length."""
    reader = SandboxedReader(LIMITS, sounds=1)
    with reader.open_sound(a_sound("ogg", 99)) as stream:
        stream.read()
        (process,) = reader._sounds._live
        time.sleep(0.3)
        used_s = _cpu_s(process.pid)
        time.sleep(0.7)

        assert _cpu_s(process.pid) == used_s
        assert sum(c.duration_s for c in iter(stream.read, None)) > 60
    reader.close()


@linux
def test_a_sound_that_is_closed_leaves_no_process():
    """Also while another thread waits for its next chunk."""
    reader = SandboxedReader(LIMITS, sounds=1, command=rogue_command())
    stream = reader.open_sound(b"sleep")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(stream.read)
        while not reader._sounds._live:
            time.sleep(0.05)
        (process,) = reader._sounds._live
        time.sleep(0.2)
        closing = threading.Thread(target=stream.close)
        closing.start()
        with pytest.raises(DecoderUnavailableError):
            waiting.result(timeout=20)
        closing.join(20)

    assert gone_within(process.pid)
    assert not reader._sounds._live
    reader.close()


@linux
def test_a_decoder_that_dies_on_the_way_is_the_sounds_failure():
    """What came before is not lost on the reader of it; the next sound works."""
    reader = SandboxedReader(LIMITS, sounds=1, command=rogue_command())
    with reader.open_sound(b"half") as stream:
        assert stream.read().duration_s == CHUNK_S
        with pytest.raises(EncodeError) as death:
            list(iter(stream.read, None))

    assert death.value.code == "decoder_died"
    assert chunks_of(reader.open_sound(a_sound("flac", 2)))
    reader.close()


@linux
def test_one_that_served_before_and_dies_is_replaced_on_the_way():
    """A fresh process goes on at the very sample; nothing is read twice."""
    reader = SandboxedReader(LIMITS, sounds=1, command=rogue_command())
    chunks_of(reader.open_sound(a_sound("flac", 2)))
    (first,) = reader._sounds._live
    samples = samples_of(chunks_of(reader.open_sound(b"half but fresh")))
    count = np.arange(70 * SAMPLE_RATE_HZ).astype("<i2").astype(np.float32) / 32_768

    assert np.array_equal(samples, count)
    assert not first.alive
    reader.close()
