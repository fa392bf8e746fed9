"""Sound of the sample set: speech by espeak-ng, and music made of sine waves.

Sound is float32, shape (n_samples,), mono, in [-1, 1], at 16 kHz, as the encoders
hear it. Called by `make_samples` and, for the video's sound, by `sample_pictures`.
"""

import io
import subprocess
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from numpy.typing import NDArray

Sound = NDArray[np.float32]

RATE_HZ: Final = 16_000
MUSIC_BEAT_S: Final = 0.5
SEED: Final = 20261102
# Without it, files carry random serial numbers and version names.
BIT_EXACT: Final = {"fflags": "+bitexact"}

_CODECS: Final = {".flac": "flac", ".ogg": "libopus"}
_OPUS_BITS_PER_S: Final = 24_000  # Speech and simple chords are clear at that.
# C, A minor, F, G: the notes' frequencies in Hz, in equal temperament from A = 440.
_CHORDS_HZ: Final = (
    (261.63, 329.63, 392.00),
    (220.00, 261.63, 329.63),
    (174.61, 220.00, 261.63),
    (196.00, 246.94, 293.66),
)


def speak(voice: str, words_per_minute: int, pitch: int, text: str) -> Sound:
    """Let espeak-ng say a text."""
    options = ["-v", voice, "-s", str(words_per_minute), "-p", str(pitch), "--stdout"]
    said = subprocess.run(["espeak-ng", *options, text], capture_output=True)
    if said.returncode != 0 or not said.stdout:
        reason = said.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"espeak-ng failed for voice {voice}: {reason}")
    return _decode(said.stdout)


def music() -> Sound:
    """Make six seconds of chords, three beats each, with a soft drum; no voice."""
    beats = [_beat(chord) for chord in _CHORDS_HZ for _ in range(3)]
    mixed = np.concatenate(beats)
    quiet: Sound = (0.6 * mixed / np.abs(mixed).max()).astype(np.float32)
    return quiet


def save_sound(file: Path, sound: Sound) -> None:
    """Write sound as FLAC or as Opus in Ogg, by the file's suffix."""
    with av.open(str(file), "w", options=BIT_EXACT) as container:
        stream = container.add_stream(_CODECS[file.suffix], rate=RATE_HZ)
        assert isinstance(stream, AudioStream)
        stream.layout = "mono"
        if file.suffix == ".ogg":
            stream.bit_rate = _OPUS_BITS_PER_S
        for packet in stream.encode(sound_frame(sound)):
            container.mux(packet)
        container.mux(stream.encode(None))


def sound_frame(sound: Sound) -> AudioFrame:
    """Return all of a sound as one 16-bit frame; encoders cut it as they need."""
    # Exactly back to the 16 bits espeak-ng gave: PocketSphinx hears one bit's change.
    pcm = np.rint(sound * 32_768).clip(-32_768, 32_767).astype(np.int16)
    frame = AudioFrame.from_ndarray(pcm[np.newaxis, :], format="s16", layout="mono")
    frame.sample_rate = RATE_HZ
    frame.pts = 0
    return frame


def _decode(wav: bytes) -> Sound:
    """Bring espeak-ng's WAV (22 kHz) to our rate."""
    resampler = AudioResampler("s16", "mono", RATE_HZ)
    parts: list[NDArray[Any]] = []
    with av.open(io.BytesIO(wav), "r") as container:
        for frame in container.decode(audio=0):
            parts += [part.to_ndarray() for part in resampler.resample(frame)]
    parts += [part.to_ndarray() for part in resampler.resample(None)]
    sound: Sound = np.concatenate(parts, axis=1)[0].astype(np.float32) / 32_768
    return sound


def _beat(chord_hz: tuple[float, ...]) -> NDArray[np.float64]:
    """Return one beat: a plucked chord over a drum of fading noise."""
    time_s = np.arange(int(MUSIC_BEAT_S * RATE_HZ)) / RATE_HZ
    strings = sum(
        np.sin(2 * np.pi * hz * part * time_s) / part**2
        for hz in chord_hz
        for part in (1, 2, 3)
    )
    noise = np.random.default_rng(SEED).normal(size=len(time_s))
    drum = 0.4 * noise * np.exp(-time_s / 0.02)
    return np.asarray(strings * np.exp(-time_s / 0.3) + drum, dtype=np.float64)
