"""Finds sound among known sound by its fingerprint, whatever stands before or after it.

After `audio_fingerprint`, before `bank_searches`. As chromaprint's own matcher does
(Lalinský, fingerprint_matcher.cpp, 2016): equal leading bits vote for how two sounds
lie beside each other; there the share of differing bits is counted.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.audio_fingerprint import items_of

# Measured on 54 recordings and their copies (64 kbit/s MP3, quieter, 2 s cut off, noise
# added, all at once): copies of speech and music differ in 0 to 10 % of bits, different
# ones in 30 % at least, and noises that are mostly silence in 18 %.
MAX_BIT_ERROR: Final = 0.15
# Shorter stretches of different sounds are alike by chance: 7 % over 19 items.
MIN_ITEMS: Final = 24
_WINDOW_ITEMS: Final = 64  # 8 s: a known recording may be a small part of an upload.
_VOTE_BITS: Final = 12  # ALIGN_BITS of the original.
# Alignments that are counted out, most votes first.
_ALIGNMENTS: Final = 32
# Votes that are counted, of the rarest items first; it bounds time to 0.2 s.
_MAX_VOTES: Final = 2_000_000


class FingerprintIndex:
    """Known fingerprints, ready to be searched; 8 bytes an item."""

    def __init__(self, values: Sequence[str]) -> None:
        """`values` are as `Fingerprinter.fingerprint` gives them."""
        known = [items_of(value) for value in values]
        self._items = np.concatenate(known) if known else np.empty(0, np.uint32)
        lengths = np.array([len(items) for items in known], dtype=np.int64)
        self._ends = np.cumsum(lengths)
        self._first = self._ends - lengths
        votes = _votes(self._items)
        self._order = np.argsort(votes, kind="stable").astype(np.uint32)
        sizes = np.bincount(votes, minlength=1 << _VOTE_BITS)
        self._starts = np.concatenate(([0], np.cumsum(sizes)))

    def similar(self, value: str) -> list[tuple[int, float]]:
        """Return (position, bit error in [0, 0.15]) of each that sounds the same."""
        looked = items_of(value)
        found: dict[int, float] = {}
        for known, offset in self._alignments(looked):
            theirs = self._items[self._first[known] : self._ends[known]]
            error = _bit_error(looked, theirs, offset)
            if error <= min(MAX_BIT_ERROR, found.get(known, 1.0)):
                found[known] = error
        return sorted(found.items())

    def _alignments(self, looked: NDArray[np.uint32]) -> list[tuple[int, int]]:
        """Return (known, offset) with the most votes; at `offset` their items begin."""
        votes = _votes(looked).astype(np.int64)
        starts = self._starts[votes]
        sizes = self._starts[votes + 1] - starts
        rare = np.argsort(sizes, kind="stable")
        rare = rare[np.cumsum(sizes[rare]) <= _MAX_VOTES]
        starts, sizes = starts[rare], sizes[rare]
        ends = np.cumsum(sizes)
        if not len(ends) or not ends[-1]:
            return []
        runs = np.repeat(starts - ends + sizes, sizes) + np.arange(ends[-1])
        places = self._order[runs].astype(np.int64)
        known = np.searchsorted(self._ends, places, side="right")
        offsets = places - self._first[known] - np.repeat(rare, sizes)
        span = len(looked) + int((self._ends - self._first).max())
        keys, counts = np.unique(
            known * (2 * span) + offsets + span, return_counts=True
        )
        best = keys[np.argsort(-counts, kind="stable")[:_ALIGNMENTS]]
        return [(int(k // (2 * span)), int(k % (2 * span)) - span) for k in best]


def _bit_error(
    ours: NDArray[np.uint32], theirs: NDArray[np.uint32], offset: int
) -> float:
    """Return the least share of differing bits over a window; 1 where none is fit."""
    start, end = max(0, -offset), min(len(ours), len(theirs) - offset)
    window = min(_WINDOW_ITEMS, end - start)
    if window < MIN_ITEMS:
        return 1.0
    ours, theirs = ours[start:end], theirs[start + offset : end + offset]
    bits = np.bitwise_count(ours ^ theirs).astype(np.int64)
    errors = _sums(bits, window) / (32 * window)
    # Silence and single tones are alike everywhere: half of the items have to be new.
    for items in (ours, theirs):
        new = np.diff(items, prepend=items[:1]) != 0
        errors = np.where(2 * _sums(new, window) < window, 1.0, errors)
    return float(errors.min())


def _sums(
    values: NDArray[np.int64] | NDArray[np.bool_], window: int
) -> NDArray[np.int64]:
    """Return the sum over each window: int64, shape (n_values - window + 1,)."""
    sums = np.concatenate(([0], np.cumsum(values, dtype=np.int64)))
    found: NDArray[np.int64] = sums[window:] - sums[:-window]
    return found


def _votes(items: NDArray[np.uint32]) -> NDArray[np.uint16]:
    return (items >> (32 - _VOTE_BITS)).astype(np.uint16)
