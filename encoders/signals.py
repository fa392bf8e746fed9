"""The values that encoders give, with their units, shapes and errors."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000  # What Whisper and PocketSphinx were trained on.


class EncodeError(Exception):
    """An input that an encoder can't use; the upload is judged without that signal.

    `code` is a short, safe word (`empty`, `undecodable`, `too_long`, …) that ends in
    the decision's list of missing signals.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ModelUnavailableError(Exception):
    """A model's weights can't be had; the message says what to do about it."""


class DecoderUnavailableError(Exception):
    """Nothing can be decoded now, whatever the content; a later try may succeed."""


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model made a signal: `sha256` is of its weights, lower-case hex."""

    role: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Waveform:
    """Sound: float32, shape (n_samples,), mono, 16 kHz, in [-1, 1]."""

    samples: NDArray[np.float32]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture: uint8, shape (height, width, 3), RGB, upright."""

    rgb: NDArray[np.uint8]
    frame_s: float | None = None  # Where it stands in its video.


@dataclass(frozen=True, slots=True)
class MediaProbe:
    """What the bytes of a sound or video file say of themselves, before decoding."""

    mime: str
    has_audio: bool
    has_video: bool
    duration_s: float | None
    width_px: int | None = None
    height_px: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A range of code points of a text, end exclusive."""

    start_char: int
    end_char: int


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of a segment, in seconds of the sound; `probability` is in [0, 1]."""

    start_s: float
    end_s: float
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """A stretch of recognised speech; the three measures are None where not known.

    `avg_logprob` is a token's mean natural logarithm, `compression_ratio` the text's
    bytes over its deflated ones. `words` are given by engines that were asked for them.
    """

    start_s: float
    end_s: float
    text: str
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    words: tuple[SpokenWord, ...] = ()


GateReason = Literal["no_speech", "unsure", "repetitive", "no_voice", "empty"]


@dataclass(frozen=True, slots=True)
class GatedSpeech:
    """Where an engine gave words that were not believed; the words are not kept."""

    start_s: float
    end_s: float
    reason: GateReason


@dataclass(frozen=True, slots=True)
class SpeechResult:
    """What was heard in one sound; no segments where nothing was said."""

    language: str | None
    segments: tuple[SpeechSegment, ...]
    gated: tuple[GatedSpeech, ...] = ()
