"""Speech with CTranslate2, which runs Whisper's weights in 8 bits on a CPU.

Behind `speech`, as an extra: `headgate[fast-asr]`; `ctranslate2_decoding` is its
decoder.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch

from encoders.ctranslate2_decoding import Decoder
from encoders.model_files import check_pinned, sha256_of
from encoders.signals import (
    ModelIdentity,
    ModelUnavailableError,
    SpeechResult,
)
from encoders.speech import SpeechEngine, Window
from encoders.whisper_rounds import Found, Part, decode_windows, found_in

# What a folder must hold; the vocabulary is a .json or, in old ones, a .txt.
_FILES: Final = ("model.bin", "config.json", "vocabulary.*")
_BATCH: Final = {"cpu": 8, "cuda": 16}  # faster-whisper's own advice is 8 and 16.


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
        return decode_windows(windows, self._found, self._batch)

    def _found(self, parts: Sequence[Part]) -> list[Found]:
        decoded = self._decoder.decode([part.waveform for part in parts])
        return [
            found_in(part, one, self._decoder.tokenizer(one.language))
            for part, one in zip(parts, decoded, strict=True)
        ]
