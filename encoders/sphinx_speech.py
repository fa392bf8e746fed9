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
    GatedSpeech,
    ModelIdentity,
    ModelUnavailableError,
    SpeechResult,
    SpeechSegment,
)
from encoders.speech import SpeechEngine, Window, is_silent
from encoders.speech_process import ProcessEngine

_FRAMES_PER_S: Final = 100  # Its `frate`, in which word times are counted.
_PAUSE_S: Final = 0.5
_LONGEST_SEGMENT_S: Final = 15.0
# It hears words in everything. Read speech has 0.27 to 0.53 s a word between pauses and
# a mean posterior of 0.2 to 0.99 (11 files); of 16 phrases that it heard in noise,
# animals and music, these leave 3, and were tuned on them. Two words are heard sooner
# than four.
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


def load_sphinx(sha256: str | None = None) -> SpeechEngine:
    """Return PocketSphinx with its own US English model, in processes of its own.

    Raises:
        ModelUnavailableError: the package is not installed.
    """
    identity = _identity(_pocketsphinx())
    check_pinned(identity.sha256, sha256, "HEADGATE_ASR_SHA256")
    return ProcessEngine(identity)


def load_engine() -> SpeechEngine:
    """Load PocketSphinx into this process; takes about a second."""
    package = _pocketsphinx()
    # Unbounded `maxhmmpf`: at its default, 30000 states a frame, the search loses the
    # right words; word errors fall from 24 to 21 % for a seventh more time.
    decoder = package.Decoder(maxhmmpf=-1, loglevel="FATAL")
    return SphinxEngine(decoder, _identity(package))


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


class SphinxEngine:
    """PocketSphinx behind `SpeechEngine`: each window is one utterance.

    It levels an utterance by its own mean (cmn=batch), so long windows suit it.
    """

    def __init__(self, decoder: Any, identity: ModelIdentity) -> None:
        self._decoder = decoder
        self._identity = identity

    @property
    def model(self) -> ModelIdentity:
        """See `SpeechEngine`."""
        return self._identity

    def transcribe_windows(self, windows: Sequence[Window]) -> list[SpeechResult]:
        """See `SpeechEngine`."""
        return [self._transcribe_one(window) for window in windows]

    def _transcribe_one(self, window: Window) -> SpeechResult:
        if is_silent(window.waveform):
            return SpeechResult(None, ())
        end_s = window.start_s + window.waveform.duration_s
        phrases = _phrases(list(self._decode(window)))
        kept = [_segment(part, end_s) for part in phrases if _is_credible(part)]
        doubted = (_segment(part, end_s) for part in phrases if not _is_credible(part))
        gated = (GatedSpeech(part.start_s, part.end_s, "unsure") for part in doubted)
        return SpeechResult("en" if kept else None, tuple(kept), tuple(gated))

    def _decode(self, window: Window) -> Iterator[_Word]:
        self._decoder.reinit_feat()  # Its means adapt to what was decoded before.
        self._decoder.start_utt()
        self._decoder.process_raw(_pcm(window.waveform.samples), full_utt=True)
        self._decoder.end_utt()
        for found in self._decoder.seg() or ():
            if not found.word.startswith(_FILLER):
                yield _Word(
                    text=_VARIANT.sub("", found.word),
                    start_s=window.start_s + found.start_frame / _FRAMES_PER_S,
                    end_s=window.start_s + (found.end_frame + 1) / _FRAMES_PER_S,
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


def _segment(phrase: Sequence[_Word], end_s: float) -> SpeechSegment:
    return SpeechSegment(
        start_s=min(phrase[0].start_s, end_s),
        end_s=min(phrase[-1].end_s, end_s),
        text=" ".join(word.text for word in phrase),
    )
