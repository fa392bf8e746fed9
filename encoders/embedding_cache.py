"""Embeddings of texts met lately; spam repeats itself, and so do default titles.

Beside `text`. Safe for use by several threads.
"""

import hashlib
from collections import OrderedDict
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

_CAPACITY: Final = 8192  # At 384 float32 each, about 13 MB.


def text_key(model_sha256: str, text: str) -> bytes:
    """Hash a model and a text; the cache must not hold what uploaders wrote.

    `model_sha256` has a fixed length, so no two pairs run together.
    """
    return hashlib.sha256(f"{model_sha256}\n{text}".encode()).digest()


class EmbeddingCache:
    """Keeps the `capacity` embeddings used last; arrays are read-only, shape (dim,)."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._rows: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: bytes) -> NDArray[np.float32] | None:
        """Return what is known, and count it as used."""
        with self._lock:
            if key in self._rows:
                self._rows.move_to_end(key)
            return self._rows.get(key)

    def put(self, key: bytes, row: NDArray[np.float32]) -> None:
        """Remember a row; the one unused for longest gives way."""
        with self._lock:
            self._rows[key] = row
            self._rows.move_to_end(key)
            while len(self._rows) > self._capacity:
                self._rows.popitem(last=False)
