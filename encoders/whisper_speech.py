"""Speech with openai-whisper, from its official checkpoints or one of your own.

Behind `speech`. Checkpoints are pickles: they are opened with torch's restricted
unpickler, which makes tensors and runs nothing.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

import torch
import whisper
from whisper.tokenizer import get_tokenizer

from encoders.model_files import cache_folder, check_pinned, sha256_of
from encoders.signals import (
    ModelIdentity,
    ModelUnavailableError,
    SpeechResult,
    SpeechSegment,
    Waveform,
)
from encoders.speech import Transcriber, is_silent

# Whisper's own defaults (whisper/transcribe.py); it falls back to a higher temperature
# above and below them, we also drop what is still beyond them at the last.
_NO_SPEECH_PROB: Final = 0.6
_AVG_LOGPROB: Final = -1.0
_COMPRESSION_RATIO: Final = 2.4
_SEED: Final = 0  # Any constant: decoding above temperature 0 draws lots.
_RANDOMNESS = Lock()  # torch's generator belongs to the process.


def load_whisper(
    name_or_path: str, *, device: str, allow_download: bool, sha256: str | None = None
) -> Transcriber:
    """Load a checkpoint by official name or by path; of that hash, if one is given.

    Raises:
        ModelUnavailableError: it is not here, damaged, or no Whisper checkpoint.
    """
    path = _find_checkpoint(name_or_path, allow_download=allow_download)
    identity = ModelIdentity("speech", f"whisper:{name_or_path}", sha256_of(path))
    check_pinned(identity.sha256, sha256, "HEADGATE_ASR_SHA256")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        model = whisper.Whisper(whisper.ModelDimensions(**checkpoint["dims"]))
        model.load_state_dict(checkpoint["model_state_dict"])
    except Exception as error:  # Arbitrary bytes make torch raise nearly anything.
        raise ModelUnavailableError(
            f"{path} is not a Whisper checkpoint ({type(error).__name__}); expected a "
            "file saved by torch with `dims` and `model_state_dict`, tensors only"
        ) from error
    with warnings.catch_warnings():
        # Whisper reads its vocabulary once and leaves the file to be closed by chance.
        warnings.simplefilter("ignore", ResourceWarning)
        get_tokenizer(model.is_multilingual, num_languages=model.num_languages)
    return WhisperTranscriber(model.to(device).eval(), identity)


def _find_checkpoint(name_or_path: str, *, allow_download: bool) -> Path:
    # Private, but the only place that tells each name's file and hash.
    url = whisper._MODELS.get(name_or_path)
    if url is None:
        path = Path(name_or_path).expanduser()
        if path.is_file():
            return path
        raise ModelUnavailableError(
            f"HEADGATE_ASR names the Whisper model {name_or_path!r}, which is neither "
            f"a file nor one of {', '.join(whisper.available_models())}"
        )
    folder = cache_folder() / "whisper"
    path = folder / str(url).rsplit("/", 1)[-1]
    if allow_download:
        _download(name_or_path, url, folder)
    if not path.is_file():
        raise ModelUnavailableError(
            f"the weights of whisper:{name_or_path} are not on this machine and "
            "downloads are off; set HEADGATE_ALLOW_DOWNLOAD=true, or HEADGATE_ASR to "
            "whisper:PATH of a checkpoint or to sphinx"
        )
    found, expected = sha256_of(path), url.split("/")[-2]
    if found != expected:
        raise ModelUnavailableError(
            f"{path} is damaged: its sha256 is {found}, expected {expected}; delete "
            "it and fetch it again with HEADGATE_ALLOW_DOWNLOAD=true"
        )
    return path


def _download(name: str, url: str, folder: Path) -> None:
    try:
        whisper._download(url, str(folder), False)  # Nothing to do if it is there.
    except (OSError, RuntimeError) as error:
        raise ModelUnavailableError(
            f"the weights of whisper:{name} can't be fetched: {error}; check the "
            "network, or set HEADGATE_ASR to whisper:PATH of a checkpoint or to sphinx"
        ) from error


class WhisperTranscriber:
    """A Whisper model behind `Transcriber`."""

    def __init__(self, model: whisper.Whisper, identity: ModelIdentity) -> None:
        self._model = model
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
        on_cuda = self._model.device.type == "cuda"
        devices = [self._model.device] if on_cuda else []
        with _RANDOMNESS, torch.random.fork_rng(devices):
            torch.manual_seed(_SEED)
            found = whisper.transcribe(
                self._model,
                waveform.samples,  # Never a file name: Whisper gives those to ffmpeg.
                verbose=None,
                # Off, so that one loop of repeats does not feed the next window.
                condition_on_previous_text=False,
                no_speech_threshold=_NO_SPEECH_PROB,
                logprob_threshold=_AVG_LOGPROB,
                compression_ratio_threshold=_COMPRESSION_RATIO,
                fp16=on_cuda,
            )
        heard = [_segment(raw, waveform.duration_s) for raw in found["segments"]]
        return SpeechResult(found["language"], tuple(s for s in heard if is_heard(s)))


def _segment(raw: dict[str, Any], duration_s: float) -> SpeechSegment:
    # Whisper pads to 30 s and may place an end in the padding.
    return SpeechSegment(
        start_s=min(float(raw["start"]), duration_s),
        end_s=min(float(raw["end"]), duration_s),
        text=raw["text"].strip(),
        avg_logprob=float(raw["avg_logprob"]),
        no_speech_prob=float(raw["no_speech_prob"]),
        compression_ratio=float(raw["compression_ratio"]),
    )


def is_heard(segment: SpeechSegment) -> bool:
    """Tell speech from what Whisper makes up in silence, noise and loops."""
    unsure = (segment.avg_logprob or 0.0) < _AVG_LOGPROB
    no_speech = (segment.no_speech_prob or 0.0) > _NO_SPEECH_PROB
    repetitive = (segment.compression_ratio or 0.0) > _COMPRESSION_RATIO
    is_empty = not segment.text or segment.end_s <= segment.start_s
    return not (is_empty or repetitive or (no_speech and unsure))
