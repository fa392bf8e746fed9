"""One sound from its decoder to its transcript, in the same memory at any length.

Chunks are cut into windows, windows are heard, results are joined. `hear_sound` does it
for one sound; `shared_hearing` lets many sounds share an engine and gives the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from encoders.audio import Truncation
from encoders.signals import SAMPLE_RATE_HZ, SpeechResult
from encoders.sound_stream import SoundStream
from encoders.speech import SpeechEngine, Window, Windower, hear, merge


class Notes(Protocol):
    """Keeps what was heard in windows, so that they need not be heard again."""

    @property
    def noted(self) -> int:
        """How many windows a restart will not have to hear again, of this run's."""
        ...

    def recall(self, window: Window) -> SpeechResult | None:
        """Return what was heard in this window before; None if it was not."""
        ...

    def note(self, window: Window, result: SpeechResult) -> None:
        """Keep what was heard in a window; may block for a disk."""
        ...


class NoNotes:
    """Remembers nothing: for sounds that are quickly heard again."""

    noted = 0

    def recall(self, window: Window) -> SpeechResult | None:
        """See `Notes`."""
        return None

    def note(self, window: Window, result: SpeechResult) -> None:
        """See `Notes`."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in one sound, its length, and why it is not whole if it isn't."""

    result: SpeechResult
    duration_s: float
    truncated: Truncation | None = None


class SoundWindows:
    """A sound as windows, decoded and cut as they are read; a context manager.

    Its methods block; they raise what `SoundStream.read` raises.
    """

    def __init__(self, stream: SoundStream, windower: Windower) -> None:
        self._stream = stream
        self._windower = windower
        self._n_samples = 0
        self._over = False

    @property
    def decoded_s(self) -> float:
        """How much of the sound was read so far, in seconds."""
        return self._n_samples / SAMPLE_RATE_HZ

    def read(self) -> list[Window] | None:
        """Return the windows that the next 30 s complete; None after the end."""
        if self._over:
            return None
        chunk = self._stream.read()
        if chunk is None:
            self._over = True
            return self._windower.finish()
        self._n_samples += len(chunk.samples)
        return self._windower.feed(chunk)

    def heard(self, results: list[SpeechResult]) -> Heard:
        """Join the results of all windows, in their order."""
        return Heard(merge(results), self.decoded_s, self._stream.truncated)

    def close(self) -> None:
        """End the decoding; from any thread."""
        self._stream.close()

    def __enter__(self) -> "SoundWindows":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def hear_sound(
    engine: SpeechEngine,
    sound: SoundWindows,
    *,
    batch_size: int,
    notes: Notes | None = None,
    told: Callable[[float], None] = lambda done_s: None,
) -> Heard:
    """Hear one sound to its end, so many windows at a time; blocks.

    `told` hears after each step how many seconds of the sound are done.
    """
    notes = notes or NoNotes()
    results: dict[int, SpeechResult] = {}
    waiting: dict[int, Window] = {}
    n_windows = 0

    def settle() -> None:
        heard = hear(engine, list(waiting.values()))
        for (place, window), result in zip(waiting.items(), heard, strict=True):
            notes.note(window, result)
            results[place] = result
        waiting.clear()

    while (windows := sound.read()) is not None:
        for window in windows:
            known = notes.recall(window)
            if known is None:
                waiting[n_windows] = window
            else:
                results[n_windows] = known
            n_windows += 1
            if len(waiting) == batch_size:
                settle()
        first = next(iter(waiting.values()), None)
        told(sound.decoded_s if first is None else first.start_s)
    settle()
    return sound.heard([results[place] for place in range(n_windows)])
