"""Embed texts with the frozen encoder, once: vectors are cached by text and encoder."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

# float32, shape (n_texts, dim), rows of unit length.
Embed = Callable[[Sequence[str]], NDArray[np.float32]]

KEY_BYTES: Final = 16  # Half a SHA-256: no two texts of a training set will meet.


def embed_cached(
    texts: Sequence[str], embed: Embed, encoder_sha256: str, cache: Path
) -> NDArray[np.float32]:
    """Return the texts' embeddings, computing only those that the cache lacks.

    Returns:
        float32, shape (len(texts), dim), rows of unit length, in the texts' order.
    """
    path = cache / f"embeddings-{encoder_sha256[:12]}.npz"
    known = _read(path)
    missing = [t for t in dict.fromkeys(texts) if _key(t) not in known]
    if missing:
        # Alike lengths share a batch, so that little of it is padding.
        missing.sort(key=len)
        fresh = embed(missing)
        known |= {_key(t): v for t, v in zip(missing, fresh, strict=True)}
        _write(path, known)
    return np.stack([known[_key(t)] for t in texts])


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:KEY_BYTES]


def _read(path: Path) -> dict[bytes, NDArray[np.float32]]:
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as stored:
        keys, vectors = stored["keys"], stored["vectors"]
    return {row.tobytes(): vector for row, vector in zip(keys, vectors, strict=True)}


def _write(path: Path, known: dict[bytes, NDArray[np.float32]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    keys = np.frombuffer(b"".join(known), dtype=np.uint8).reshape(-1, KEY_BYTES)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, keys=keys, vectors=np.stack(list(known.values())))
    partial.replace(path)
