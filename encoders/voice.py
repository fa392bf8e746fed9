"""Where someone speaks: the port of voice detectors, and one that needs no model.

After `audio`, before `windows`. The detector with a model is `silero_voice`.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from encoders.signals import SAMPLE_RATE_HZ

FRAME_SAMPLES: Final = 512  # 32 ms: what Silero takes at 16 kHz, no more and no less.
FRAME_S: Final = FRAME_SAMPLES / SAMPLE_RATE_HZ

# Noise floor: the least smoothed power of the last 1.5 s, as Martin (2001) tracks it
# ("Noise power spectral density estimation based on … minimum statistics").
_FLOOR_FRAMES: Final = 47
_SMOOTH_FRAMES: Final = 3
_SILENCE_DBFS: Final = -60.0  # FFmpeg's silencedetect default.
_VOICE_DB: Final = 9.0  # Above the floor: chosen by hand, not tuned.


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """When frames are voice, and when voice is speech.

    Thresholds are probabilities in [0, 1] of a frame of 32 ms. The defaults are
    Silero's own (`get_speech_timestamps`) but for the last five.
    """

    threshold: float = 0.5
    """Voice begins at this."""
    quiet_threshold: float = 0.35
    """Voice goes on down to this."""
    min_silence_ms: int = 100
    """A shorter silence is inside a stretch of voice."""
    clear_threshold: float = 0.8
    """A stretch of voice with this mean is clear. Of ESC-10's fold 1 and "Vibe Ace",
    on which this was chosen, none is; short words of real speech are not always."""
    min_speech_ms: int = 300
    """A window has as much clear voice, or it is none. Silero has 250; raised
    after a sneeze of ESC-10's fold 2 had passed (288), so no clip is held out. The
    price: more words said all alone are missed."""
    min_mixed_ms: int = 1000
    """Or it has as many clear frames in all, among others: speech over music has
    seconds of them, "Vibe Ace" has 0.6 s in a minute."""
    max_pause_ms: int = 2000
    """A longer pause ends a window: faster-whisper's `min_silence_duration_ms`."""
    pad_ms: int = 300
    """Kept around voice, as detectors are late: PocketSphinx's endpointer window."""


class VoiceDetector(Protocol):
    """Tells how likely each frame is voice; remembers what it heard before."""

    name: str
    settings: VoiceSettings

    def probabilities(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Judge the next frames of a sound.

        Args:
            frames: float32, shape (n_frames, 512), in [-1, 1].

        Returns:
            float32, shape (n_frames,), in [0, 1].
        """
        ...


class EnergyDetector:
    """Takes what stands out of its noise for voice: speech, and much that is none.

    Steady noise (rain, an engine) is told from speech; barks and music are not.
    """

    name = "energy"
    settings = VoiceSettings(clear_threshold=0.5)

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_SMOOTH_FRAMES)
        self._powers: deque[float] = deque(maxlen=_FLOOR_FRAMES)

    def probabilities(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `VoiceDetector`; 0.5 is 9 dB above the noise floor, 1.0 is 18 dB."""
        powers = np.einsum("ij,ij->i", frames, frames) / FRAME_SAMPLES
        return np.array([self._next(float(power)) for power in powers], np.float32)

    def _next(self, power: float) -> float:
        self._recent.append(power)
        smoothed = sum(self._recent) / len(self._recent)
        self._powers.append(smoothed)
        floor = max(min(self._powers), 10 ** (_SILENCE_DBFS / 10))
        above_db = 10 * np.log10(max(smoothed, 1e-12) / floor)
        return float(np.clip(above_db / (2 * _VOICE_DB), 0.0, 1.0))


def voice_runs(
    probabilities: Sequence[float] | NDArray[np.float32], settings: VoiceSettings
) -> list[tuple[int, int]]:
    """Group frames into stretches of voice: (start, end) frames, end exclusive."""
    most_silent = settings.min_silence_ms / 1000 / FRAME_S
    runs: list[tuple[int, int]] = []
    is_voice = False
    for at, probability in enumerate(probabilities):
        is_voice = continues(is_voice, float(probability), settings)
        if not is_voice:
            continue
        if runs and at - runs[-1][1] < most_silent:
            runs[-1] = (runs[-1][0], at + 1)
        else:
            runs.append((at, at + 1))
    return runs


def continues(was_voice: bool, probability: float, settings: VoiceSettings) -> bool:
    """Tell whether a frame is voice, after one that was or was not."""
    needed = settings.quiet_threshold if was_voice else settings.threshold
    return probability >= needed


def is_speech(probabilities: NDArray[np.float32], settings: VoiceSettings) -> bool:
    """Tell whether a window has enough clear voice to be listened to."""
    needed = settings.clear_threshold
    clear = sum(
        end - start
        for start, end in voice_runs(probabilities, settings)
        if probabilities[start:end].mean() >= needed
    )
    mixed = np.count_nonzero(probabilities >= needed)
    frame_ms = FRAME_S * 1000
    return bool(
        clear * frame_ms >= settings.min_speech_ms
        or mixed * frame_ms >= settings.min_mixed_ms
    )
