"""What was found in texts met lately; spam repeats itself, and so do default titles.

Beside `text`. Safe for use by several threads.
"""

import hashlib
from collections import OrderedDict
from threading import Lock
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

_CAPACITY: Final = 8192  # At 384 float32 each, about 13 MB.
Found = TypeVar("Found")


def text_key(model_sha256: str, text: str) -> bytes:
    """Hash a model and a text; the cache must not hold what uploaders wrote.

    `model_sha256` has a fixed length, so no two pairs run together.
    """
    whole = f"{model_sha256}\n{text}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(whole).digest()


class RecentlyUsed(Generic[Found]):
    """Keeps what was found in the `capacity` texts met last."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._found: OrderedDict[bytes, Found] = OrderedDict()
        self._lock = Lock()

    def get(self, key: bytes) -> Found | None:
        """Return what is known, and count it as used."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: bytes, found: Found) -> None:
        """Remember it; what is unused for longest gives way."""
        with self._lock:
            self._found[key] = found
            self._found.move_to_end(key)
            while len(self._found) > self._capacity:
                self._found.popitem(last=False)


class EmbeddingCache(RecentlyUsed[NDArray[np.float32]]):
    """Embeddings by model and text; arrays are read-only, shape (dim,)."""
