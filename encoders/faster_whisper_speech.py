"""Speech with CTranslate2, which runs Whisper's weights in 8 bits on a CPU.

Behind `speech`, as an extra: `headgate[fast-asr]`; `ctranslate2_decoding` is its
decoder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import torch
from whisper.tokenizer import Tokenizer

from encoders.ctranslate2_decoding import Decoder
from encoders.model_files import check_pinned, sha256_of
from encoders.signals import (
    SAMPLE_RATE_HZ,
    GatedSpeech,
    ModelIdentity,
    ModelUnavailableError,
    SpeechResult,
    SpeechSegment,
    Waveform,
)
from encoders.speech import SpeechEngine, Window, is_silent
from encoders.whisper_decoding import Decoded
from encoders.whisper_segments import split_tokens

# What a folder must hold; the vocabulary is a .json or, in old ones, a .txt.
_FILES: Final = ("model.bin", "config.json", "vocabulary.*")
_BATCH: Final = {"cpu": 8, "cuda": 16}  # faster-whisper's own advice is 8 and 16.
_MOST_ROUNDS: Final = 8  # As in `whisper_speech`: speech needs two, loops go on.


def load_faster_whisper(
    name_or_path: str, *, device: str, allow_download: bool, sha256: str | None = None
) -> SpeechEngine:
    """Load a converted model by official name or from its folder.

    With `sha256` the folder's files must have that hash; see `model_files.sha256_of`.

    Raises:
        ModelUnavailableError: the package or the model is not here, or it is no
            converted Whisper.
    """
    package = _ctranslate2()
    folder = _find_folder(name_or_path, allow_download=allow_download)
    _check_files(folder)
    identity = ModelIdentity(
        "speech", f"faster-whisper:{name_or_path}", sha256_of(folder)
    )
    check_pinned(identity.sha256, sha256, "HEADGATE_ASR_SHA256")
    kind = "cuda" if device.startswith("cuda") else "cpu"
    try:
        model = package.models.Whisper(
            str(folder),
            device=kind,
            compute_type="int8" if kind == "cpu" else "float16",
            intra_threads=torch.get_num_threads(),
        )
    except (RuntimeError, ValueError) as error:
        raise ModelUnavailableError(
            f"{folder} is not a Whisper model of CTranslate2: {error}; convert it with "
            "ct2-transformers-converter"
        ) from error
    return FasterWhisperEngine(Decoder(package, model), identity, _BATCH[kind])


def _ctranslate2() -> Any:
    try:
        import ctranslate2  # An extra; who uses openai-whisper does not need it.
    except ImportError as error:
        raise ModelUnavailableError(
            "HEADGATE_ASR is faster-whisper, but CTranslate2 is not installed; "
            "run: pip install 'headgate[fast-asr]'"
        ) from error
    return ctranslate2


def _find_folder(name_or_path: str, *, allow_download: bool) -> Path:
    folder = Path(name_or_path).expanduser()
    if folder.is_dir():
        return folder
    from faster_whisper.utils import available_models, download_model

    if name_or_path not in available_models():
        raise ModelUnavailableError(
            f"HEADGATE_ASR names the model {name_or_path!r}, which is neither a folder "
            f"nor one of {', '.join(available_models())}"
        )
    try:
        return Path(download_model(name_or_path, local_files_only=not allow_download))
    except (OSError, ValueError) as error:  # The hub's own errors derive from these.
        advice = (
            "check the network"
            if allow_download
            else "downloads are off: set HEADGATE_ALLOW_DOWNLOAD=true"
        )
        raise ModelUnavailableError(
            f"the weights of faster-whisper:{name_or_path} are not on this machine; "
            f"{advice}, or set HEADGATE_ASR to faster-whisper:FOLDER"
        ) from error


def _check_files(folder: Path) -> None:
    missing = [name for name in _FILES if not any(folder.glob(name))]
    if missing:
        raise ModelUnavailableError(
            f"{folder} has no {', '.join(missing)}; expected a Whisper model converted "
            "with ct2-transformers-converter"
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """A window, or what is left of it to decode; `start_s` in seconds of the sound."""

    place: int  # Of the window among those that were given.
    start_s: float
    waveform: Waveform
    speech_s: float


class FasterWhisperEngine:
    """A Whisper run by CTranslate2, behind `SpeechEngine`: many windows in one pass."""

    def __init__(self, decoder: Decoder, identity: ModelIdentity, batch: int) -> None:
        self._decoder = decoder
        self._identity = identity
        self._batch = batch

    @property
    def model(self) -> ModelIdentity:
        """See `SpeechEngine`."""
        return self._identity

    def transcribe_windows(self, windows: Sequence[Window]) -> list[SpeechResult]:
        """See `SpeechEngine`."""
        heard: list[list[tuple[str, SpeechSegment]]] = [[] for _ in windows]
        parts = [
            _Part(place, window.start_s, window.waveform, window.speech_s)
            for place, window in enumerate(windows)
            if not is_silent(window.waveform)
        ]
        for _ in range(_MOST_ROUNDS):
            parts = self._round(parts, heard)
        gated: list[list[GatedSpeech]] = [[] for _ in windows]
        for part in parts:
            # A model that moves on this slowly is in a loop.
            end_s = part.start_s + part.waveform.duration_s
            gated[part.place].append(GatedSpeech(part.start_s, end_s, "unsure"))
        return [_result(*one) for one in zip(heard, gated, strict=True)]

    def _round(
        self, parts: list[_Part], heard: list[list[tuple[str, SpeechSegment]]]
    ) -> list[_Part]:
        """Decode each part once; return what has to be decoded again."""
        # Long with long: a batch takes as many steps as its longest text.
        parts = sorted(parts, key=lambda part: part.speech_s)
        left: list[_Part] = []
        for at in range(0, len(parts), self._batch):
            some = parts[at : at + self._batch]
            decoded = self._decoder.decode([part.waveform for part in some])
            for part, one in zip(some, decoded, strict=True):
                tokenizer = self._decoder.tokenizer(one.language)
                found, rest_s = _segments(part, one, tokenizer)
                heard[part.place] += [(one.language, segment) for segment in found]
                if rest_s is not None:
                    left += _rest(part, rest_s)
        return left


def _segments(
    part: _Part, decoded: Decoded, tokenizer: Tokenizer
) -> tuple[list[SpeechSegment], float | None]:
    """Return a part's segments, and from which of its seconds on to decode again."""
    pieces, rest_s = split_tokens(
        decoded.tokens,
        timestamp_begin=tokenizer.timestamp_begin,
        duration_s=part.waveform.duration_s,
        complete=decoded.complete,
    )
    segments = [
        SpeechSegment(
            start_s=part.start_s + piece.start_s,
            end_s=part.start_s + piece.end_s,
            text=tokenizer.decode(piece.tokens).strip(),
            avg_logprob=decoded.avg_logprob,
            no_speech_prob=decoded.no_speech_prob,
            compression_ratio=decoded.compression_ratio,
        )
        for piece in pieces
    ]
    return segments, rest_s


def _rest(part: _Part, rest_s: float) -> list[_Part]:
    """Return what is left of a part from `rest_s` on, in two where nothing was said."""
    length_s = part.waveform.duration_s
    cuts = [rest_s, length_s] if rest_s > 0 else [0.0, length_s / 2, length_s]
    return [
        _Part(
            part.place,
            part.start_s + start_s,
            _cut(part.waveform, start_s, end_s),
            part.speech_s * (end_s - start_s) / length_s,
        )
        for start_s, end_s in pairwise(cuts)
    ]


def _cut(waveform: Waveform, start_s: float, end_s: float) -> Waveform:
    start, end = round(start_s * SAMPLE_RATE_HZ), round(end_s * SAMPLE_RATE_HZ)
    return Waveform(waveform.samples[start:end])


def _result(
    heard: list[tuple[str, SpeechSegment]], gated: list[GatedSpeech]
) -> SpeechResult:
    heard = sorted(heard, key=lambda one: one[1].start_s)
    language = heard[0][0] if heard else None
    return SpeechResult(language, tuple(one for _, one in heard), tuple(gated))
