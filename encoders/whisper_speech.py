"""Speech with openai-whisper, from its official checkpoints or one of your own.

Behind `speech`. Checkpoints are pickles: they are opened with torch's restricted
unpickler, which makes tensors and runs nothing.
"""

import copy
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch
import whisper
from torch import Tensor
from whisper.audio import log_mel_spectrogram, pad_or_trim
from whisper.tokenizer import Tokenizer, get_tokenizer

from encoders import micro
from encoders.devices import is_out_of_memory
from encoders.model_files import cache_folder, check_pinned, sha256_of
from encoders.signals import (
    ModelIdentity,
    ModelUnavailableError,
    SpeechResult,
    SpokenWord,
    Waveform,
)
from encoders.speech import SpeechEngine, Window
from encoders.whisper_decoding import TEMPERATURES, Decoded, decode_batch
from encoders.whisper_rounds import Found, Part, decode_windows, found_in
from encoders.whisper_segments import Piece
from encoders.whisper_words import spoken_words

_CPU_BATCH: Final = 16
_CUDA_BATCH: Final = 32


def load_whisper(
    name_or_path: str,
    *,
    device: str,
    allow_download: bool,
    sha256: str | None = None,
    words: bool = False,
) -> SpeechEngine:
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
    return WhisperEngine(model.to(device).eval(), identity, words=words)


def _find_checkpoint(name_or_path: str, *, allow_download: bool) -> Path:
    if name_or_path == micro.NAME:
        return micro.CHECKPOINT
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


class WhisperEngine:
    """A Whisper model behind `SpeechEngine`: many windows in one pass.

    With `words`, segments tell when each of their words was said; that takes a pass of
    the decoder for each window.
    """

    def __init__(
        self, model: whisper.Whisper, identity: ModelIdentity, *, words: bool = False
    ) -> None:
        self._model = model
        self._identity = identity
        self._words = words
        self._on_cuda = model.device.type == "cuda"
        self._batch = _CUDA_BATCH if self._on_cuda else _CPU_BATCH
        self._temperatures: Sequence[float] = TEMPERATURES
        self._options: dict[str, Any] = {}  # More of Whisper's DecodingOptions.

    @property
    def model(self) -> ModelIdentity:
        """See `SpeechEngine`."""
        return self._identity

    def twin(self) -> "WhisperEngine":
        """See `SharesWeights`."""
        # Modules of its own, since timing words hangs hooks on them.
        weights = (*self._model.parameters(), *self._model.buffers())
        shared: dict[int, Any] = {id(tensor): tensor for tensor in weights}
        model = copy.deepcopy(self._model, shared)
        return WhisperEngine(model, self._identity, words=self._words)

    def transcribe_windows(self, windows: Sequence[Window]) -> list[SpeechResult]:
        """See `SpeechEngine`."""
        return decode_windows(windows, self._found, self._batch)

    def _found(self, parts: Sequence[Part]) -> list[Found]:
        found = []
        for part, (mel, decoded) in zip(parts, self._decode(parts), strict=True):
            tokenizer = self._tokenizer(decoded)
            words = partial(self._spoken, tokenizer, mel, part) if self._words else None
            found.append(found_in(part, decoded, tokenizer, words))
        return found

    def _spoken(
        self, tokenizer: Tokenizer, mel: Tensor, part: Part, pieces: list[Piece]
    ) -> list[tuple[SpokenWord, ...]]:
        return spoken_words(self._model, tokenizer, pieces, mel, part.waveform)

    def _decode(self, parts: Sequence[Part]) -> list[tuple[Tensor, Decoded]]:
        """Decode parts in one batch, or in smaller ones where memory runs out."""
        try:
            mels = torch.stack([self._mel(part.waveform) for part in parts])
            found = decode_batch(self._model, mels, self._temperatures, **self._options)
            return list(zip(mels, found, strict=True))
        except RuntimeError as error:
            if len(parts) == 1 or not is_out_of_memory(error):
                raise
        half = len(parts) // 2
        return self._decode(parts[:half]) + self._decode(parts[half:])

    def _mel(self, waveform: Waveform) -> Tensor:
        """Return the log-mel of a window and of silence up to 30 s: (n_mels, 3000).

        Each by itself: Whisper's is relative to the loudest moment of all it is given.
        """
        mel: Tensor = log_mel_spectrogram(
            pad_or_trim(waveform.samples),
            self._model.dims.n_mels,
            device=self._model.device,
        )
        return mel.half() if self._on_cuda else mel

    def _tokenizer(self, decoded: Decoded) -> Tokenizer:
        return get_tokenizer(
            self._model.is_multilingual,
            num_languages=self._model.num_languages,
            language=decoded.language,
            task="transcribe",
        )
