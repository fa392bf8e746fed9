"""An index of the hashes of past uploads: which of them are near a new bank entry?

Core, no I/O. Exact: an entry is compared with every hash, 40 ms for a million; new
entries are rare beside uploads, so nothing faster is kept up to date.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from schemas.records import MediaHash

ALGORITHMS: Final = ("sha256", "pdq")  # Those of 256 bits; a row's `algorithm`.
_ROW: Final = np.dtype(
    [
        ("words", "<u8", (4,)),  # 256 bits.
        ("offset", "<i8"),  # Of the upload's signals in its partition.
        ("at_ms", "<i8"),  # When they were written.
        ("algorithm", "u1"),
    ]
)
_FIRST_ROWS: Final = 1024


class SeenHashes:
    """The hashes of one partition's uploads, 49 bytes each; the oldest give way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows = np.zeros(min(_FIRST_ROWS, most), _ROW)
        self._length = 0
        self.forgotten = 0  # Rows that gave way though they were not old.

    def __len__(self) -> int:
        return self._length

    def add(self, offset: int, at_ms: int, hashes: Iterable[MediaHash]) -> None:
        """Remember an upload's hashes; `offset` is where its signals stand."""
        for one in hashes:
            if one.algorithm not in ALGORITHMS:
                continue
            if self._length == len(self._rows):
                self._make_room()
            words = np.frombuffer(bytes.fromhex(one.value), "<u8")
            kind = ALGORITHMS.index(one.algorithm)
            self._rows[self._length] = (words, offset, at_ms, kind)
            self._length += 1

    def near(self, algorithm: str, value: str, distance: int) -> tuple[int, ...]:
        """Return the offsets of uploads with a hash within `distance` bits, in order.

        Args:
            algorithm: one of ALGORITHMS.
            value: 64 hex digits.
            distance: bits that may differ, 0 to 256.
        """
        rows = self._rows[: self._length]
        words = np.frombuffer(bytes.fromhex(value), "<u8")
        bits = np.bitwise_count(rows["words"] ^ words).sum(axis=1, dtype=np.uint16)
        is_near = bits <= distance
        is_near &= rows["algorithm"] == ALGORITHMS.index(algorithm)
        return tuple(np.unique(rows["offset"][is_near]).tolist())

    def expire(self, before_ms: int) -> None:
        """Forget what was written before a time."""
        kept = self._rows[: self._length]
        kept = kept[kept["at_ms"] >= before_ms]
        self._rows[: len(kept)] = kept
        self._length = len(kept)

    def _make_room(self) -> None:
        if len(self._rows) < self._most:
            more = np.zeros(min(2 * len(self._rows), self._most), _ROW)
            more[: self._length] = self._rows
            self._rows = more
            return
        # The older half goes at once: one row at a time would move all for each.
        keep = self._length // 2
        self.forgotten += self._length - keep
        self._rows[:keep] = self._rows[self._length - keep : self._length]
        self._length = keep
