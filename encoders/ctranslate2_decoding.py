"""Whisper's decoder run by CTranslate2, over many windows at once.

Behind `faster_whisper_speech`. Sound and tokens are Whisper's own, so that a text is
what `whisper_decoding` would give, up to the rounding of the weights.
"""

import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from whisper.audio import log_mel_spectrogram, pad_or_trim
from whisper.tokenizer import Tokenizer, get_tokenizer
from whisper.utils import compression_ratio

from encoders.hallucination import COMPRESSION_RATIO
from encoders.signals import Waveform
from encoders.whisper_decoding import Decoded

# Whisper's context, prompt and all; of it half is sampled at most (CTranslate2,
# src/models/whisper.cc), as openai-whisper does.
_CONTEXT_TOKENS: Final = 448
# Tried in this order until what is heard is neither a loop nor unsure; Whisper's dice
# are no choice here, since CTranslate2 seeds them once a thread: what is heard would
# depend on what was heard before. The beam is Whisper's own for its command line.
_BEAM: Final = 5
_SEARCHES: Final[tuple[dict[str, int], ...]] = (
    {"beam_size": 1},
    {"beam_size": _BEAM},
    {"beam_size": _BEAM, "no_repeat_ngram_size": 3},
)


class Decoder:
    """A converted Whisper; `package` is ctranslate2, which is optional."""

    def __init__(self, package: Any, model: Any) -> None:
        self._package = package
        self._model = model
        with warnings.catch_warnings():
            # Whisper reads its vocabulary once and leaves the file to chance.
            warnings.simplefilter("ignore", ResourceWarning)
            self.tokenizer("en")

    def decode(self, waveforms: Sequence[Waveform]) -> list[Decoded]:
        """Decode sounds of at most 30 s in one batch, then those alone that failed."""
        mels = np.stack([self._mel(waveform) for waveform in waveforms])
        found = self._search(self._encode(mels), len(mels), _SEARCHES[0])
        return [
            self._again(mels[at : at + 1], one) if one.failed else one
            for at, one in enumerate(found)
        ]

    def tokenizer(self, language: str) -> Tokenizer:
        """Return the model's tokenizer; Whisper keeps each that it made."""
        return get_tokenizer(
            self._model.is_multilingual,
            num_languages=self._model.num_languages,
            language=language,
            task="transcribe",
        )

    def _again(self, mel: NDArray[np.float32], first: Decoded) -> Decoded:
        """Search harder until what is heard has not failed; else take the likeliest."""
        tried = [first]
        features = self._encode(mel)
        for search in _SEARCHES[1:]:
            tried += self._search(features, 1, search)
            if not tried[-1].failed:
                return tried[-1]
        # Loops are likely to go on: the last choice (faster_whisper/transcribe.py).
        told = [one for one in tried if one.compression_ratio <= COMPRESSION_RATIO]
        return max(told or tried, key=lambda one: one.avg_logprob)

    def _mel(self, waveform: Waveform) -> NDArray[np.float32]:
        """Return the log-mel of a window and of silence up to 30 s: (n_mels, 3000)."""
        padded = pad_or_trim(waveform.samples)
        mel = log_mel_spectrogram(padded, self._model.n_mels).numpy()
        return np.asarray(mel, np.float32)

    def _encode(self, mels: NDArray[np.float32]) -> Any:
        mels = np.ascontiguousarray(mels)
        return self._model.encode(self._package.StorageView.from_array(mels))

    def _search(
        self, features: Any, count: int, search: dict[str, int]
    ) -> list[Decoded]:
        languages = self._languages(features, count)
        tokenizers = [self.tokenizer(language) for language in languages]
        prompts = [list(tokenizer.sot_sequence) for tokenizer in tokenizers]
        results = self._model.generate(
            features,
            prompts,
            max_length=_CONTEXT_TOKENS,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=_never_said(tokenizers[0]),
            **search,
        )
        return [
            _decoded(*one) for one in zip(results, tokenizers, languages, strict=True)
        ]

    def _languages(self, features: Any, count: int) -> list[str]:
        if not self._model.is_multilingual:
            return ["en"] * count
        found = self._model.detect_language(features)
        return [likely[0][0].strip("<|>") for likely in found]


def _never_said(tokenizer: Tokenizer) -> list[int]:
    """Return what openai-whisper suppresses (whisper/decoding.py)."""
    special = (
        tokenizer.transcribe,
        tokenizer.translate,
        tokenizer.sot,
        tokenizer.sot_prev,
        tokenizer.sot_lm,
        tokenizer.no_speech,
    )
    return sorted({*tokenizer.non_speech_tokens, *special})


def _decoded(result: Any, tokenizer: Tokenizer, language: str) -> Decoded:
    tokens = tuple(result.sequences_ids[0])
    text = tokenizer.decode(tokens).strip()
    return Decoded(
        tokens=tokens,
        text=text,
        language=language,
        # A score is a token's mean without the end, which Whisper counts.
        avg_logprob=result.scores[0] * len(tokens) / (len(tokens) + 1),
        no_speech_prob=result.no_speech_prob,
        compression_ratio=compression_ratio(text),
        complete=len(tokens) < _CONTEXT_TOKENS // 2,
    )
