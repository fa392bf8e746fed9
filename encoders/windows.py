"""Sound in chunks becomes windows of speech, of at most 30 s each.

After `voice`, before the engines of `speech`. Pure, and bounded: of a sound of any
length no more than one window and a second are held.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.signals import Waveform
from encoders.voice import (
    FRAME_S,
    FRAME_SAMPLES,
    VoiceDetector,
    continues,
    is_speech,
    voice_runs,
)

WINDOW_S: Final = 30.0  # What Whisper hears at once (whisper/audio.py, CHUNK_LENGTH).
_LONGEST: Final = int(WINDOW_S / FRAME_S)  # In frames, as all that follows.
_BLOCK: Final = 32  # Judged at once, whatever the chunks: so results never differ.
_PAUSE: Final = 5  # 160 ms: a cut is in a pause as long, not in a consonant.


@dataclass(frozen=True, slots=True)
class Window:
    """At most 30 s of one sound, with its place in that sound.

    `voice` are the stretches with a voice, (start, end) in seconds of the sound; None
    where nobody looked.
    """

    waveform: Waveform
    start_s: float
    voice: tuple[tuple[float, float], ...] | None = None

    @property
    def speech_s(self) -> float:
        """Seconds with a voice; all of it where nobody looked."""
        if self.voice is None:
            return self.waveform.duration_s
        return sum(end_s - start_s for start_s, end_s in self.voice)


class Windower:
    """Cuts one sound into windows around speech.

    A window ends in a pause: of two seconds if there is one, else at the least voiced
    moment of its last third. Where there is no voice there is no window.
    """

    def __init__(self, detector: VoiceDetector) -> None:
        self._detector = detector
        self._settings = detector.settings
        self._pad = round(self._settings.pad_ms / 1000 / FRAME_S)
        self._pause = round(self._settings.max_pause_ms / 1000 / FRAME_S)
        self._pending = np.zeros(0, np.float32)  # Less than a block, not judged yet.
        self._samples = np.zeros(0, np.float32)  # Judged; from frame `_first` on.
        self._likely = np.zeros(0, np.float32)  # Their probabilities, a frame each.
        self._first = 0
        self._start: int | None = None  # Where the open window begins.
        self._last_voice = 0
        self._is_voice = False
        self._cut = 0  # Where the last window ended.
        self._believed = False  # This stretch of voice has been speech before.

    @property
    def detector_name(self) -> str:
        """Who listens for voices: `silero`, or `energy` without its packages."""
        return self._detector.name

    def feed(self, chunk: Waveform) -> list[Window]:
        """Take the next part of the sound, of any length; return what is complete."""
        self._pending = np.concatenate([self._pending, chunk.samples])
        found: list[Window] = []
        size = _BLOCK * FRAME_SAMPLES
        at = 0
        while len(self._pending) - at >= size:
            found += self._judge(self._pending[at : at + size])
            at += size
        self._pending = self._pending[at:].copy()
        return found

    def finish(self) -> list[Window]:
        """Return the windows that are left; the sound is over."""
        rest = self._pending
        # The last frame is filled up with silence, which no window contains.
        filled = np.pad(rest, (0, -len(rest) % FRAME_SAMPLES))
        found = list(self._judge(filled))
        self._samples = self._samples[: len(self._samples) - len(filled) + len(rest)]
        if self._start is not None:
            found += self._close(self._first + len(self._likely))
        return found

    def _judge(self, samples: NDArray[np.float32]) -> Iterator[Window]:
        frames = samples.reshape(-1, FRAME_SAMPLES)
        likely = self._detector.probabilities(frames)
        at = self._first + len(self._likely)
        self._samples = np.concatenate([self._samples, samples])
        self._likely = np.concatenate([self._likely, likely])
        for frame, probability in enumerate(likely.tolist(), at):
            self._is_voice = continues(self._is_voice, probability, self._settings)
            if self._is_voice:
                self._last_voice = frame
                if self._start is None:
                    self._start = max(frame - self._pad, self._cut)
            if self._start is None:
                continue
            if frame - self._last_voice >= self._pause:
                yield from self._close(frame + 1)
            elif frame + 1 - self._start >= _LONGEST:
                yield from self._close(self._quietest(frame + 1))
        self._forget()

    def _close(self, cut: int) -> Iterator[Window]:
        """End the open window at `cut` at the latest, and open the next if it began."""
        assert self._start is not None
        start, self._cut = self._start, self._start
        likely = self._likely[start - self._first : cut - self._first]
        runs = [(start + a, start + b) for a, b in voice_runs(likely, self._settings)]
        # What is left of a speech after a cut may be a single word.
        self._believed = self._believed or is_speech(likely, self._settings)
        if runs and self._believed:
            self._cut = min(runs[-1][1] + self._pad, cut)
            yield self._window(max(runs[0][0] - self._pad, start), self._cut, runs)
        goes_on = self._last_voice >= cut
        # What was not believed may end with the beginning of what will be.
        begun = 0 if self._believed else self._clear_tail(likely)
        self._start = cut - begun if goes_on else None
        self._believed = self._believed and goes_on

    def _clear_tail(self, likely: NDArray[np.float32]) -> int:
        """Count the clear frames at the end: under a second, or it were speech."""
        unclear = np.flatnonzero(likely < self._settings.clear_threshold)
        return len(likely) - 1 - int(unclear[-1]) if len(unclear) else 0

    def _window(self, start: int, end: int, runs: list[tuple[int, int]]) -> Window:
        first = (start - self._first) * FRAME_SAMPLES
        last = (end - self._first) * FRAME_SAMPLES
        waveform = Waveform(self._samples[first:last].copy())
        end_s = start * FRAME_S + waveform.duration_s
        voice = tuple((a * FRAME_S, min(b * FRAME_S, end_s)) for a, b in runs)
        return Window(waveform, start * FRAME_S, voice)

    def _quietest(self, end: int) -> int:
        """Find the least voiced moment of the last third before `end`."""
        low = end - _LONGEST // 3
        likely = self._likely[low - self._first : end - self._first]
        around = np.convolve(likely, np.ones(_PAUSE, np.float32), mode="valid")
        return low + int(np.argmin(around)) + _PAUSE // 2

    def _forget(self) -> None:
        """Drop what no window can contain any more."""
        now = self._first + len(self._likely)
        keep = self._start if self._start is not None else max(now - self._pad, 0)
        keep = max(keep, self._first)
        self._samples = self._samples[(keep - self._first) * FRAME_SAMPLES :]
        self._likely = self._likely[keep - self._first :]
        self._first = keep
