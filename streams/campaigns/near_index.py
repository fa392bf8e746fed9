"""Finds what is near among the last uploads, in constant memory and time.

Each bucket keeps its newest places, so a flood only pushes out what is like itself.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_WORDS: Final = 16  # Of 16 bits, in 256.
_DEPTH: Final = 4  # Places that a signature's bucket keeps …
_ITEM_DEPTH: Final = 8  # … and an item's.
_VALUES: Final = 1 << 16
_OFFSETS: Final = np.arange(_WORDS, dtype=np.int64)[:, None] * _VALUES
# The word's own value, and each of its 16 neighbours at one bit.
_FLIPS: Final = np.array([0, *(1 << bit for bit in range(16))], dtype=np.uint16)
_MOST_NEAR: Final = 64  # The newest are the likeliest to matter.
_ITEM_CELLS: Final = 1 << 19

Places = NDArray[np.int64]
NOWHERE: Final[Places] = np.empty(0, np.int64)


class SignatureIndex:
    """256-bit signatures by place; 18 MB at most and 32 bytes a place.

    A signature is found by any word of 16 bits that differs in one bit at most: always
    up to 31 bits (Norouzi et al., 2012), at 52 bits nine times in ten.
    """

    def __init__(self, places: int) -> None:
        self._rows = np.zeros((places, 4), np.uint64)
        self._buckets = np.zeros((_WORDS * _VALUES, _DEPTH), np.uint32)
        self._next = np.zeros(_WORDS * _VALUES, np.uint8)

    def put(self, place: int, signature: bytes) -> None:
        """Replace what stands at a place; empty bytes clear it."""
        if not signature:
            self._rows[place] = 0  # 128 bits from everything.
            return
        self._rows[place] = np.frombuffer(signature, "<u8")
        words = np.frombuffer(signature, "<u2").reshape(_WORDS, 1)
        keys = (words + _OFFSETS).reshape(-1)
        at = self._next[keys]
        self._buckets[keys, at] = place + 1
        self._next[keys] = (at + 1) % _DEPTH

    def near(self, signature: bytes, bits: int) -> Places:
        """Return the newest places, 64 at most, within so many bits; some twice."""
        words = np.frombuffer(signature, "<u2").reshape(_WORDS, 1)
        keys = ((words ^ _FLIPS) + _OFFSETS).reshape(-1)
        found = self._buckets.take(keys, axis=0).reshape(-1)
        places = found[found > 0].astype(np.int64)
        places -= 1
        near = places[self.bits(signature, places) <= bits]
        return near if len(near) <= _MOST_NEAR else np.unique(near)[-_MOST_NEAR:]

    def has(self, places: Places) -> NDArray[np.bool_]:
        """Return whether anything stands at each place: bool, shape (n_places,)."""
        found: NDArray[np.bool_] = self._rows[places, 0] != 0
        return found

    def bits(self, signature: bytes, places: Places) -> NDArray[np.uint16]:
        """Return in how many bits each place differs: uint16, shape (n_places,)."""
        looked = np.frombuffer(signature, "<u8")
        rows = self._rows.take(places, axis=0)
        counts = np.bitwise_count(np.bitwise_xor(rows, looked, out=rows))
        differing: NDArray[np.uint16] = np.add.reduce(counts, axis=1, dtype=np.uint16)
        return differing


class ItemIndex:
    """Sets of up to 32 numbers by place; 17 MB at most and 128 bytes a place."""

    def __init__(self, places: int, items: int) -> None:
        self._rows = np.zeros((places, items), np.uint32)
        self._sizes = np.zeros(places, np.uint8)
        self._buckets = np.zeros((_ITEM_CELLS, _ITEM_DEPTH), np.uint32)
        self._next = np.zeros(_ITEM_CELLS, np.uint8)

    def put(self, place: int, packed: bytes) -> None:
        """Replace what stands at a place; items are uint32 little-endian, sorted."""
        items = np.frombuffer(packed, "<u4")
        self._sizes[place] = len(items)
        self._rows[place] = 0
        if not packed:
            return
        self._rows[place, : len(items)] = items
        keys = items % _ITEM_CELLS
        at = self._next[keys]
        self._buckets[keys, at] = place + 1
        self._next[keys] = (at + 1) % _ITEM_DEPTH

    def near(self, packed: bytes, shared: int, share: float = 0.0) -> Places:
        """Return the newest places, 64 at most, with so many items in common.

        Args:
            packed: items, uint32 little-endian, sorted.
            shared: so many at least.
            share: and so large a share of those at the place.
        """
        items = np.frombuffer(packed, "<u4")
        found = self._buckets.take(items % _ITEM_CELLS, axis=0).reshape(-1)
        found = found[found > 0]
        if len(found) < shared:
            return NOWHERE
        ends, counts = np.unique(found, return_counts=True)
        places = ends[counts >= shared].astype(np.int64) - 1
        counts = counts[counts >= shared]
        return places[counts >= share * self._sizes[places]][-_MOST_NEAR:]

    def shared(self, packed: bytes, places: Places) -> NDArray[np.int64]:
        """Return how many items each place has in common: int64, shape (n_places,)."""
        items = np.frombuffer(packed, "<u4")
        rows = self._rows.take(places, axis=0)
        at = np.minimum(np.searchsorted(items, rows), len(items) - 1)
        same = (items[at] == rows) & (rows > 0)
        counts: NDArray[np.int64] = np.count_nonzero(same, axis=1)
        return counts

    def size(self, places: Places) -> NDArray[np.int64]:
        """Return how many items each place has: int64, shape (n_places,)."""
        return self._sizes[places].astype(np.int64)

    def items(self, places: Places) -> NDArray[np.uint32]:
        """Return the items that stand at any of the places, distinct and sorted."""
        found: NDArray[np.uint32] = np.unique(self._rows[places])
        return found[found > 0]
