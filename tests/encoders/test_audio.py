"""Facts about decoding sound."""

import io
import time
import tracemalloc
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from encoders.audio import decode_audio
from encoders.media_format import MediaLimits
from encoders.signals import SAMPLE_RATE_HZ, EncodeError
from tests.media_builders import (
    CODECS,
    LIMITS,
    a_picture,
    a_sound_file,
    a_tone,
    a_video_file,
    encoded,
    with_cover,
)

Find = Callable[[str], Path]


def loudest_hz(samples: np.ndarray) -> float:
    """Return the frequency with the most energy."""
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / len(samples))


def a_wav(samples: np.ndarray, rate_hz: int) -> bytes:
    """Build a WAV from int16 samples of shape (n_samples, n_channels)."""
    with io.BytesIO() as file:
        with wave.open(file, "wb") as output:
            output.setnchannels(samples.shape[1])
            output.setsampwidth(2)
            output.setframerate(rate_hz)
            output.writeframes(samples.tobytes())
        return file.getvalue()


def without_length(flac: bytes) -> bytes:
    """Set FLAC's count of samples (36 bits, low nibble of byte 21 on) to unknown."""
    return flac[:21] + bytes([flac[21] & 0xF0, 0, 0, 0, 0]) + flac[26:]


@pytest.mark.parametrize("container", CODECS)
def test_every_format_gives_its_tone(container: str) -> None:
    """Mono float32 at 16 kHz, of the right length and pitch, whatever it came in."""
    decoded = decode_audio(a_sound_file(container, 2, hz=440), LIMITS)

    samples = decoded.waveform.samples
    assert (samples.dtype, samples.ndim) == (np.float32, 1)
    assert decoded.waveform.duration_s == pytest.approx(2, abs=0.1)
    assert loudest_hz(samples) == pytest.approx(440, abs=2)
    assert np.abs(samples).max() == pytest.approx(16_000 / 32_768, rel=0.1)
    assert not decoded.truncated


def test_channels_are_averaged() -> None:
    """Loud on both sides doesn't clip; opposite sides cancel out."""
    tone = a_tone(1, 16_000)[0] * 2
    same, opposite = np.stack([tone, tone], 1), np.stack([tone, -tone], 1)

    loud = decode_audio(a_wav(same, 16_000), LIMITS).waveform.samples
    silent = decode_audio(a_wav(opposite, 16_000), LIMITS).waveform.samples

    np.testing.assert_allclose(loud, tone / 32_768, atol=1e-4)
    assert np.abs(silent).max() < 1e-4


def test_samples_at_our_rate_pass_unchanged() -> None:
    """16 kHz mono is scaled to [-1, 1] and nothing else."""
    samples = np.array([[-32_768], [0], [16_384], [32_767]] * 4000, np.int16)

    decoded = decode_audio(a_wav(samples, 16_000), LIMITS).waveform.samples

    np.testing.assert_array_equal(decoded, samples[:, 0] / np.float32(32_768))


def test_real_speech_decodes_whole(shared_data: Find) -> None:
    """The eleven seconds of the JFK clip come out as eleven seconds, and soon."""
    data = (shared_data("speech_jfk") / "jfk.flac").read_bytes()
    decode_audio(data, LIMITS)
    start = time.process_time()

    decoded = decode_audio(data, LIMITS)

    assert time.process_time() - start < 0.5  # 0.03 s where nothing else runs.
    assert len(decoded.waveform.samples) == 11 * SAMPLE_RATE_HZ
    assert not decoded.truncated


def test_real_files_are_whole(shared_data: Find) -> None:
    """No file of the data sets is taken for a truncated one."""
    files = [
        *shared_data("ljspeech").glob("*.flac"),
        *sorted(shared_data("esc10").glob("*.ogg"))[::8],
        *shared_data("tmk_videos").glob("*.mp4"),
    ]
    assert len(files) > 10
    for file in files:
        decoded = decode_audio(file.read_bytes(), LIMITS)
        assert decoded.waveform.duration_s > 1, file.name
        assert not decoded.truncated, file.name


@pytest.mark.parametrize("share", [0.8, 0.5, 0.3])
@pytest.mark.parametrize("container", ["wav", "mp3", "flac", "ogg", "webm"])
def test_a_file_cut_short_says_so(container: str, share: float) -> None:
    """What is there is decoded, and the rest is stated as missing."""
    data = a_sound_file(container, 5)

    decoded = decode_audio(data[: int(len(data) * share)], LIMITS)

    assert decoded.truncated
    assert 5 * (share - 0.25) < decoded.waveform.duration_s < 5 * (share + 0.1)


def test_a_video_cut_short_says_so(shared_data: Find) -> None:
    """An MP4 whose index is whole and whose samples are not counts as truncated."""
    data = (shared_data("tmk_videos") / "pattern-sd-grey-bar.mp4").read_bytes()

    decoded = decode_audio(data[: len(data) // 2], LIMITS)

    assert decoded.truncated
    assert 2 < decoded.waveform.duration_s < 5


def test_a_broken_packet_hides_nothing_after_it() -> None:
    """Sound goes on behind a damaged place, as it does in a player."""
    data = bytearray(a_sound_file("mp4", 10))
    place = data.index(b"mdat") + 6000
    data[place : place + 1000] = np.random.default_rng(0).bytes(1000)

    decoded = decode_audio(bytes(data), LIMITS)

    assert decoded.waveform.duration_s > 9


def test_sound_with_many_broken_packets_is_not_whole() -> None:
    """What more than a twentieth of is lost counts as truncated."""
    data = bytearray(a_sound_file("mp4", 10))
    place = data.index(b"mdat") + 6000
    data[place : place + 30_000] = np.random.default_rng(0).bytes(30_000)

    assert decode_audio(bytes(data), LIMITS).truncated


def test_sound_of_a_video_is_found() -> None:
    """A video's sound track is decoded, its pictures are not needed."""
    decoded = decode_audio(a_video_file(2), LIMITS)

    assert loudest_hz(decoded.waveform.samples) == pytest.approx(440, abs=2)
    assert not decoded.truncated


def test_a_cover_costs_nothing() -> None:
    """Sound with a picture of 16 million pixels before it decodes as without it."""
    plain = a_sound_file("mp3", 2)
    data = with_cover(plain, encoded(a_picture().resize((4000, 4000), 0)))

    decoded = decode_audio(data, LIMITS)

    expected = decode_audio(plain, LIMITS).waveform.samples
    np.testing.assert_array_equal(decoded.waveform.samples, expected)


def test_endless_sound_is_stopped_at_the_limit() -> None:
    """An hour in a small file that hides its length ends after `max_s`, in bounds."""
    silence = np.zeros((3600 * 8000, 1), np.int16)
    data = without_length(flac_of(silence, 8000))
    assert len(data) < 1_000_000
    tracemalloc.start()
    start = time.process_time()

    with pytest.raises(EncodeError) as refusal:
        decode_audio(data, MediaLimits(10**6, max_s=30))

    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refusal.value.code == "too_long"
    assert time.process_time() - start < 2
    assert peak_bytes < 8_000_000


def test_declared_length_is_refused_before_decoding() -> None:
    """A header that states too many seconds is enough."""
    with pytest.raises(EncodeError) as refusal:
        decode_audio(a_sound_file("wav", 3), MediaLimits(10**6, max_s=2))

    assert refusal.value.code == "too_long"


@pytest.mark.parametrize("rate_hz", [1, 3_999, 400_000, 2**31 - 1])
def test_absurd_rates_are_refused(rate_hz: int) -> None:
    """A rate that would swell one packet, or the resampler, is not tried."""
    start = time.process_time()

    with pytest.raises(EncodeError) as refusal:
        decode_audio(a_wav(np.ones((5000, 1), np.int16), rate_hz), LIMITS)

    assert refusal.value.code in ("undecodable", "too_long")
    assert time.process_time() - start < 1


def test_absurdly_many_channels_are_refused() -> None:
    """The mixer is not asked for what no microphone makes."""
    data = a_wav(np.ones((500, 65), np.int16), 16_000)

    with pytest.raises(EncodeError, match="65 channels"):
        decode_audio(data, LIMITS)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"spoken word\n" * 500, "unknown_format"),
        (a_video_file(1, sound_codec=None), "no_audio"),
        (a_wav(np.zeros((0, 1), np.int16), 16_000), "undecodable"),
    ],
)
def test_what_has_no_sound_is_named(data: bytes, code: str) -> None:
    """Each reason for having no waveform has its own short word."""
    with pytest.raises(EncodeError) as refusal:
        decode_audio(data, LIMITS)

    assert refusal.value.code == code


def flac_of(samples: np.ndarray, rate_hz: int) -> bytes:
    """Encode int16 samples of shape (n_samples, 1) as FLAC."""
    import av

    with io.BytesIO() as file:
        with av.open(file, "w", format="flac") as output:
            stream = output.add_stream("flac", rate=rate_hz)
            stream.layout = "mono"
            for start in range(0, len(samples), 4096):
                part = np.ascontiguousarray(samples[start : start + 4096].T)
                frame = av.AudioFrame.from_ndarray(part, "s16", "mono")
                frame.sample_rate, frame.pts = rate_hz, start
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        return file.getvalue()
