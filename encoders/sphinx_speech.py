"""Speech with PocketSphinx: US English, its model comes with the package.

Behind `speech`, where Whisper's weights can't be had. About a fifth of the words are
wrong on read English, far more on noisy or sung speech.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from encoders.model_files import check_pinned, sha256_of
from encoders.signals import (
    SAMPLE_RATE_HZ,
    ModelIdentity,
    ModelUnavailableError,
    SpeechResult,
    SpeechSegment,
    Waveform,
)
from encoders.speech import FRAME_SAMPLES, Transcriber, frame_energies, is_silent
from encoders.speech_chunks import find_chunks
from encoders.speech_process import ProcessTranscriber

_FRAMES_PER_S: Final = 100  # Its `frate`, in which word times are counted.
_PAUSE_S: Final = 0.5
_LONGEST_SEGMENT_S: Final = 15.0
# It hears words in everything. Read speech has 0.27 to 0.53 s a word between pauses and
# a mean posterior of 0.2 to 0.99 (11 files); of what it heard in 15 of noise, animals
# and music, these leave about 3 phrases of 16, and were tuned on them. Two words are
# heard sooner than four.
_SLOWEST_WORD_S: Final = 0.65
_MIN_POSTERIOR: Final = 0.15
_MIN_POSTERIOR_SHORT: Final = 0.5
_SHORT_WORDS: Final = 3
_VARIANT: Final = re.compile(r"\(\d+\)$")  # `and(2)`: the second pronunciation.
_FILLER: Final = ("<", "[", "+")  # `<sil>`, `[NOISE]`, `++BREATH++`.


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start_s: float
    end_s: float
    posterior: float  # In [0, 1].


def load_sphinx(sha256: str | None = None) -> Transcriber:
    """Return PocketSphinx with its own US English model, in processes of its own.

    Raises:
        ModelUnavailableError: the package is not installed.
    """
    identity = _identity(_pocketsphinx())
    check_pinned(identity.sha256, sha256, "HEADGATE_ASR_SHA256")
    return ProcessTranscriber(identity)


def load_engine() -> Transcriber:
    """Load PocketSphinx into this process; takes about a second."""
    package = _pocketsphinx()
    # Unbounded `maxhmmpf`: at its default, 30000 states a frame, the search loses the
    # right words; word errors fall from 24 to 21 % for a seventh more time.
    decoder = package.Decoder(maxhmmpf=-1, loglevel="FATAL")
    return SphinxTranscriber(decoder, package.Vad, _identity(package))


def _pocketsphinx() -> Any:
    try:
        import pocketsphinx  # An extra; who uses Whisper does not need it.
    except ImportError as error:
        raise ModelUnavailableError(
            "HEADGATE_ASR is sphinx, but PocketSphinx is not installed; "
            "run: pip install 'headgate[offline-asr]'"
        ) from error
    return pocketsphinx


def _identity(package: Any) -> ModelIdentity:
    folder = Path(package.get_model_path("en-us"))
    return ModelIdentity("speech", "pocketsphinx:en-us", sha256_of(folder))


class SphinxTranscriber:
    """PocketSphinx behind `Transcriber`."""

    def __init__(self, decoder: Any, new_vad: Any, identity: ModelIdentity) -> None:
        self._decoder = decoder
        self._new_vad = new_vad
        self._identity = identity

    @property
    def model(self) -> ModelIdentity:
        """See `Transcriber`."""
        return self._identity

    def transcribe(self, waveforms: Sequence[Waveform]) -> list[SpeechResult]:
        """See `Transcriber`."""
        return [self._transcribe_one(waveform) for waveform in waveforms]

    def _transcribe_one(self, waveform: Waveform) -> SpeechResult:
        if is_silent(waveform):
            return SpeechResult(None, ())
        words: list[_Word] = []
        for start, end in self._chunks(waveform):
            words += self._decode(waveform, start * FRAME_SAMPLES, end * FRAME_SAMPLES)
        kept = [part for part in _phrases(words) if _is_credible(part)]
        segments = tuple(_segment(part, waveform.duration_s) for part in kept)
        return SpeechResult("en" if segments else None, segments)

    def _chunks(self, waveform: Waveform) -> list[tuple[int, int]]:
        vad = self._new_vad()  # It adapts; a used one would remember the last upload.
        energies = frame_energies(waveform)
        is_speech = np.zeros(len(energies), np.bool_)
        for at in range(len(energies)):
            frame = waveform.samples[at * FRAME_SAMPLES : (at + 1) * FRAME_SAMPLES]
            is_speech[at] = vad.is_speech(_pcm(frame))
        return find_chunks(is_speech, energies)

    def _decode(self, waveform: Waveform, start: int, end: int) -> Iterator[_Word]:
        self._decoder.reinit_feat()  # Its means adapt to what was decoded before.
        self._decoder.start_utt()
        self._decoder.process_raw(_pcm(waveform.samples[start:end]), full_utt=True)
        self._decoder.end_utt()
        offset_s = start / SAMPLE_RATE_HZ
        for found in self._decoder.seg() or ():
            if not found.word.startswith(_FILLER):
                yield _Word(
                    text=_VARIANT.sub("", found.word),
                    start_s=offset_s + found.start_frame / _FRAMES_PER_S,
                    end_s=offset_s + (found.end_frame + 1) / _FRAMES_PER_S,
                    posterior=found.prob,
                )


def _pcm(samples: NDArray[np.float32]) -> bytes:
    """Turn samples in [-1, 1] into 16-bit little-endian ones, clipped."""
    return (samples.clip(-1.0, 1.0) * 32767).round().astype("<i2").tobytes()


def _phrases(words: Sequence[_Word]) -> list[list[_Word]]:
    """Part words at pauses of half a second, and before 15 s are passed."""
    phrases = [list(words[:1])] if words else []
    for before, word in pairwise(words):
        paused = word.start_s - before.end_s >= _PAUSE_S
        too_long = word.end_s - phrases[-1][0].start_s > _LONGEST_SEGMENT_S
        if paused or too_long:
            phrases.append([])
        phrases[-1].append(word)
    return phrases


def _is_credible(phrase: Sequence[_Word]) -> bool:
    """Tell speech from what is heard in noise, by its pace and its certainty."""
    pace_s = (phrase[-1].end_s - phrase[0].start_s) / len(phrase)
    mean = sum(word.posterior for word in phrase) / len(phrase)
    is_short = len(phrase) <= _SHORT_WORDS
    needed = _MIN_POSTERIOR_SHORT if is_short else _MIN_POSTERIOR
    return pace_s <= _SLOWEST_WORD_S and mean >= needed


def _segment(phrase: Sequence[_Word], duration_s: float) -> SpeechSegment:
    return SpeechSegment(
        start_s=min(phrase[0].start_s, duration_s),
        end_s=min(phrase[-1].end_s, duration_s),
        text=" ".join(word.text for word in phrase),
    )
