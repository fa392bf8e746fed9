"""The hash of a file that is to be known: decoded in the sandbox, never kept."""

from pathlib import Path

from encoders.audio_fingerprint import Fingerprinter
from encoders.bank_searches import PDQ_MIN_QUALITY
from encoders.hashing import sha256_hex
from encoders.media_reader import MediaLook
from encoders.signals import (
    DecoderUnavailableError,
    EncodeError,
    ModelUnavailableError,
    Waveform,
)
from encoders.sound_stream import read_opening
from streams.errors import StartError
from streams.settings import Settings
from streams.wiring import build_reader


def hash_of_file(
    settings: Settings, file: Path, algorithm: str | None
) -> tuple[str, str]:
    """Return the algorithm and the value; by default what finds near copies.

    Raises:
        StartError: the file can't be read or decoded, shows too little to be known
            again, or has no hash of that algorithm.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise StartError(f"{file} can't be read: {error.strerror}") from error
    if algorithm == "sha256":
        return "sha256", sha256_hex(data)
    reader = build_reader(settings)
    try:
        look = reader.examine(data)
        kinds = _kinds(look)
        if algorithm == "chromaprint" or (look.probe.has_audio and not kinds):
            opening = look.probe.has_audio and read_opening(reader.open_sound(data))
            kinds = _sound(opening) if opening else {}
        return _chosen(file, look.probe.mime, kinds, algorithm)
    except (EncodeError, DecoderUnavailableError) as error:
        raise StartError(f"{file} can't be decoded: {error}") from error
    finally:
        reader.close()


def _chosen(
    file: Path, mime: str, kinds: dict[str, str], algorithm: str | None
) -> tuple[str, str]:
    kind = next(iter(kinds), "") if algorithm is None else algorithm
    if kind not in kinds:
        raise StartError(
            f"{file} is {mime} and has no {algorithm or 'hash of its own'}: a picture "
            f"or a frame needs a PDQ quality of {PDQ_MIN_QUALITY}, sound 6 s; give "
            "--algorithm sha256 to know its exact bytes"
        )
    return kind, kinds[kind]


def _sound(opening: Waveform) -> dict[str, str]:
    try:
        value = Fingerprinter().fingerprint(opening)
    except ModelUnavailableError as error:
        raise StartError(str(error)) from error
    return {"chromaprint": value} if value else {}


def _kinds(look: MediaLook) -> dict[str, str]:
    """Return what a file can be known by, the best first."""
    good = [p for p in look.pictures if p.pdq.quality >= PDQ_MIN_QUALITY]
    frames = dict.fromkeys(p.pdq.hex for p in good if p.frame_s is not None)
    if frames:
        return {"vpdq": "".join(frames)}
    return {"pdq": good[0].pdq.hex} if good else {}
