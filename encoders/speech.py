"""Speech in, timed text out: the port, the choice of its engine, and the way through.

After `audio`: `windows` cuts a sound, an engine (`whisper_speech`, `sphinx_speech`)
hears each window, and `hallucination` says what of it is believed.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import numpy as np

from encoders import micro
from encoders.hallucination import believed
from encoders.model_files import cache_folder
from encoders.signals import (
    SAMPLE_RATE_HZ,
    ModelIdentity,
    ModelUnavailableError,
    SpeechResult,
    Waveform,
)
from encoders.voice import EnergyDetector
from encoders.windows import WINDOW_S as WINDOW_S
from encoders.windows import Window as Window
from encoders.windows import Windower as Windower

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# Quieter than this all along is silence: -60 dBFS, FFmpeg's silencedetect default.
_SILENCE_RMS: Final = 1e-3
_SILENT_SAMPLES: Final = SAMPLE_RATE_HZ * 30 // 1000

_FED_SAMPLES: Final = int(WINDOW_S) * SAMPLE_RATE_HZ
_WINDOWS_AT_ONCE: Final = 64  # 120 MB of sound; engines make their own batches of it.

# Names under which Whisper keeps another name's file (whisper/__init__.py, _MODELS).
_WHISPER_FILES: Final = {"large": "large-v3", "turbo": "large-v3-turbo"}


class SpeechEngine(Protocol):
    """A speech recogniser; use one from one thread at a time.

    It says all it hears, also where nobody speaks: call it through `hear`.
    """

    @property
    def model(self) -> ModelIdentity:
        """Which model this is, with the hash of its weights."""
        ...

    def transcribe_windows(self, windows: Sequence[Window]) -> list[SpeechResult]:
        """Transcribe each window, in order; blocks.

        A window's result does not depend on those beside or before it. Segments are in
        order of time, in seconds of the sound, and lie within their window.
        """
        ...


@runtime_checkable
class SharesWeights(Protocol):
    """A speech engine that can have a twin for another thread, at no memory's cost."""

    def twin(self) -> SpeechEngine:
        """Return an engine over the same weights; both may be used at a time."""
        ...


def load_speech(
    spec: str,
    *,
    device: str,
    allow_download: bool,
    sha256: str | None = None,
    words: bool = False,
) -> SpeechEngine:
    """Load the engine that `spec` names.

    `whisper:NAME`, `whisper:PATH`, `faster-whisper:NAME`, `faster-whisper:FOLDER` or
    `sphinx`. With `sha256` its model must have that hash, checked before loading; with
    `words` segments say when each word was spoken, which only Whisper can tell.

    Raises:
        ModelUnavailableError: it can't be had; the message says what to do.
    """
    engine, _, name = spec.partition(":")
    # Imported where used: Whisper brings torch, which takes seconds, and the others
    # are optional.
    if engine == "whisper" and name:
        from encoders.whisper_speech import load_whisper

        return load_whisper(
            name,
            device=device,
            allow_download=allow_download,
            sha256=sha256,
            words=words,
        )
    if words:
        raise ModelUnavailableError(
            f"HEADGATE_ASR={spec} can't tell when each word was said; leave --words "
            "out, or use whisper:NAME"
        )
    if engine == "faster-whisper" and name:
        from encoders.faster_whisper_speech import load_faster_whisper

        return load_faster_whisper(
            name, device=device, allow_download=allow_download, sha256=sha256
        )
    if spec == "sphinx":
        from encoders.sphinx_speech import load_sphinx

        return load_sphinx(sha256)
    raise ModelUnavailableError(
        f"HEADGATE_ASR is {spec!r}; set it to whisper:NAME, whisper:PATH, "
        "faster-whisper:NAME, faster-whisper:FOLDER or sphinx"
    )


def weights_problem(spec: str, *, allow_download: bool) -> str | None:
    """Say in one sentence why an engine's weights can't be had; None if they seem to.

    A quick look that loads nothing, for who wants to choose another engine.
    """
    engine, _, name = spec.partition(":")
    is_here = name == micro.NAME or Path(name).expanduser().is_file()
    if engine != "whisper" or allow_download or is_here:
        return None
    file = cache_folder() / "whisper" / f"{_WHISPER_FILES.get(name, name)}.pt"
    return None if file.is_file() else f"no weights of {spec} on this machine"


def new_windower() -> Windower:
    """Return a windower for one sound: with Silero, or by energy without its packages.

    The energy gate takes every sound that is not steady for speech.
    """
    session = _silero()
    if session is None:
        return Windower(EnergyDetector())
    from encoders.silero_voice import SileroDetector

    return Windower(SileroDetector(session))


@cache
def _silero() -> "InferenceSession | None":
    from encoders.silero_voice import load_silero

    try:
        return load_silero()
    except ModelUnavailableError:
        return None


def is_silent(waveform: Waveform) -> bool:
    """Tell whether no 30 ms of it are louder than -60 dBFS, or it is shorter.

    Recognisers hear words in silence, so they are not asked.
    """
    n_frames = len(waveform.samples) // _SILENT_SAMPLES
    whole = waveform.samples[: n_frames * _SILENT_SAMPLES]
    frames = whole.reshape(n_frames, _SILENT_SAMPLES)
    # No copy of the samples: hours of them are hundreds of megabytes.
    energies = np.einsum("ij,ij->i", frames, frames)
    return bool(energies.max(initial=0.0) <= _SILENT_SAMPLES * _SILENCE_RMS**2)


def hear(engine: SpeechEngine, windows: Sequence[Window]) -> list[SpeechResult]:
    """Transcribe windows, in order, and keep what is believed.

    This, not the engine itself, is what callers use: engines hear words in everything.
    """
    if not windows:
        return []
    results = engine.transcribe_windows(windows)
    return [
        believed(result, window.voice)
        for result, window in zip(results, windows, strict=True)
    ]


def transcribe_whole(
    engine: SpeechEngine,
    waveforms: Sequence[Waveform],
    windower: Callable[[], Windower] = new_windower,
) -> list[SpeechResult]:
    """Transcribe whole sounds, in order; their windows share the engine's batches."""
    parts: list[list[SpeechResult]] = [[] for _ in waveforms]
    windows = (
        (place, window)
        for place, waveform in enumerate(waveforms)
        for window in _windows(windower(), waveform)
    )
    while some := list(islice(windows, _WINDOWS_AT_ONCE)):
        results = hear(engine, [window for _, window in some])
        for (place, _), result in zip(some, results, strict=True):
            parts[place].append(result)
    return [merge(results) for results in parts]


def _windows(windower: Windower, waveform: Waveform) -> Iterator[Window]:
    for at in range(0, len(waveform.samples), _FED_SAMPLES):
        yield from windower.feed(Waveform(waveform.samples[at : at + _FED_SAMPLES]))
    yield from windower.finish()


def merge(results: Sequence[SpeechResult]) -> SpeechResult:
    """Join the results of one sound's windows, given in order of time.

    The language is the one that most seconds of speech are in, at a draw the first.
    """
    seconds: dict[str, float] = {}
    for result in results:
        if result.language is not None:
            spoken_s = sum(part.end_s - part.start_s for part in result.segments)
            seconds[result.language] = seconds.get(result.language, 0.0) + spoken_s
    language = max(seconds, key=lambda name: seconds[name]) if seconds else None
    return SpeechResult(
        language,
        tuple(segment for result in results for segment in result.segments),
        tuple(gated for result in results for gated in result.gated),
    )
