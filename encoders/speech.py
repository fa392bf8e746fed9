"""Speech in, timed text out: the port, and the choice of its engine.

After `audio`; the engines are `whisper_speech` and `sphinx_speech`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from encoders.model_files import cache_folder
from encoders.signals import (
    SAMPLE_RATE_HZ,
    ModelIdentity,
    ModelUnavailableError,
    SpeechResult,
    Waveform,
)

# Quieter than this all along is silence: -60 dBFS, FFmpeg's silencedetect default.
_SILENCE_RMS: Final = 1e-3
FRAME_SAMPLES: Final = (
    SAMPLE_RATE_HZ * 30 // 1000
)  # 30 ms, the longest of WebRTC's VAD.


# Names under which Whisper keeps another name's file (whisper/__init__.py, _MODELS).
_WHISPER_FILES: Final = {"large": "large-v3", "turbo": "large-v3-turbo"}


class Transcriber(Protocol):
    """A speech recogniser; use one from one thread at a time."""

    @property
    def model(self) -> ModelIdentity:
        """Which model this is, with the hash of its weights."""
        ...

    def transcribe(self, waveforms: Sequence[Waveform]) -> list[SpeechResult]:
        """Transcribe each waveform, in order; blocks, for long audio for minutes.

        A waveform's result does not depend on those beside or before it. Segments are
        in order of time and lie within the waveform; where nothing was said there are
        none.
        """
        ...


def load_transcriber(
    spec: str, *, device: str, allow_download: bool, sha256: str | None = None
) -> Transcriber:
    """Load the engine that `spec` names: `whisper:NAME`, `whisper:PATH` or `sphinx`.

    With `sha256` its model must have that hash, which is checked before loading.

    Raises:
        ModelUnavailableError: it can't be had; the message says what to do.
    """
    engine, _, name = spec.partition(":")
    # Imported where used: Whisper brings torch, which takes seconds, and PocketSphinx
    # is optional.
    if engine == "whisper" and name:
        from encoders.whisper_speech import load_whisper

        return load_whisper(
            name, device=device, allow_download=allow_download, sha256=sha256
        )
    if spec == "sphinx":
        from encoders.sphinx_speech import load_sphinx

        return load_sphinx(sha256)
    raise ModelUnavailableError(
        f"HEADGATE_ASR is {spec!r}; set it to whisper:NAME, whisper:PATH or sphinx"
    )


def weights_problem(spec: str, *, allow_download: bool) -> str | None:
    """Say in one sentence why an engine's weights can't be had; None if they seem to.

    A quick look that loads nothing, for who wants to choose another engine.
    """
    engine, _, name = spec.partition(":")
    if engine != "whisper" or allow_download or Path(name).expanduser().is_file():
        return None
    file = cache_folder() / "whisper" / f"{_WHISPER_FILES.get(name, name)}.pt"
    return None if file.is_file() else f"no weights of {spec} on this machine"


def frame_energies(waveform: Waveform) -> NDArray[np.float32]:
    """Sum the squares of each whole 30 ms: float32, shape (n_frames,)."""
    n_frames = len(waveform.samples) // FRAME_SAMPLES
    frames = waveform.samples[: n_frames * FRAME_SAMPLES].reshape(
        n_frames, FRAME_SAMPLES
    )
    # No copy of the samples: hours of them are hundreds of megabytes.
    energies: NDArray[np.float32] = np.einsum("ij,ij->i", frames, frames)
    return energies


def is_silent(waveform: Waveform) -> bool:
    """Tell whether no 30 ms of it are louder than -60 dBFS, or it is shorter.

    Recognisers hear words in silence, so they are not asked.
    """
    loudest = frame_energies(waveform).max(initial=0.0)
    return bool(loudest <= FRAME_SAMPLES * _SILENCE_RMS**2)
