"""Search among many 256-bit hashes by Hamming distance, exactly.

After `hashing`, before `banks`. `MultiIndex` is multi-index hashing (Norouzi, Punjani,
Fleet: "Fast Exact Search in Hamming Space with Multi-Index Hashing", 2012).
"""

from collections.abc import Iterator, Sequence
from time import sleep
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

_WORDS: Final = 16  # A hash is 16 words of 16 bits.
_WORD_VALUES: Final = 1 << 16
# Two hashes that differ in fewer bits than this have a word in which they differ in one
# bit at most: words that all differ in two or more differ in 32 together.
_WITHIN_ONE_BIT: Final = 2 * _WORDS
# Below this, comparing with all takes under 50 µs, and the tables would take 8 MB.
_LINEAR_BELOW: Final = 2_000
# Items in a step of a build, about 1 ms: see `in_steps`.
_STEP: Final = 4_096
# The word's own value, and each of its 16 neighbours at one bit.
_FLIPS: Final = np.array([0, *(1 << bit for bit in range(16))], dtype=np.uint16)
_OFFSETS: Final = np.arange(_WORDS, dtype=np.int64)[:, None] * _WORD_VALUES

Item = TypeVar("Item")


class HammingIndex(Protocol):
    """The seam for search by distance."""

    def within(self, value: str, distance: int) -> list[tuple[int, int]]:
        """Return (position, distance) of every hash that near, by position."""


class LinearIndex:
    """Compares with every hash: exact, for some thousands."""

    def __init__(self, values: Sequence[str]) -> None:
        """`values` are of 64 hex digits each."""
        self._words = as_words(values)

    def within(self, value: str, distance: int) -> list[tuple[int, int]]:
        """Return (position, distance) of every hash that near, by position."""
        distances = _distances(self._words, as_words([value]))
        near = np.flatnonzero(distances <= distance)
        return [(int(place), int(distances[place])) for place in near]


class MultiIndex:
    """Compares only with hashes that share a word but for one bit: exact, for millions.

    Up to 31 bits it takes 96 bytes a hash and 8 MB; for exact search 36 and 0.5 MB. A
    search beyond what it was made for, or among hashes most of which share a word,
    compares with all: nothing is ever slower than that.
    """

    def __init__(self, values: Sequence[str], max_distance: int) -> None:
        """Build, leaving room for other threads; `values` are of 64 hex digits each."""
        self._words = as_words(values)
        self._max_distance = min(max_distance, _WITHIN_ONE_BIT - 1)
        # Fewer differing bits than words leave one of the words the same.
        indexed = min(_WORDS, max_distance + 1)
        parts = self._words.view(np.uint16)
        order = np.empty((indexed, len(values)), dtype=np.uint32)
        self._starts = np.zeros(indexed * _WORD_VALUES + 1, dtype=np.int64)
        for word in range(indexed):
            column = np.ascontiguousarray(parts[:, word])
            # A radix sort, without Python's lock.
            order[word] = np.argsort(column, kind="stable")
            sizes = np.bincount(column, minlength=_WORD_VALUES)
            first = word * _WORD_VALUES
            self._starts[first + 1 : first + _WORD_VALUES + 1] = sizes
            sleep(0)
        np.cumsum(self._starts, out=self._starts)
        self._order: NDArray[np.uint32] = order.reshape(-1)

    @property
    def state_bytes(self) -> int:
        """Return what the index holds, in bytes."""
        return self._words.nbytes + self._order.nbytes + self._starts.nbytes

    def within(self, value: str, distance: int) -> list[tuple[int, int]]:
        """Return (position, distance) of every hash that near, by position."""
        looked = as_words([value])
        places = self._candidates(looked, distance)
        words = self._words if places is None else self._words[places]
        distances = _distances(words, looked)
        near = np.flatnonzero(distances <= distance)
        found = near if places is None else places[near]
        # A hash that shares several words was compared several times.
        return sorted(set(zip(found.tolist(), distances[near].tolist(), strict=True)))

    def _candidates(
        self, looked: NDArray[np.uint64], distance: int
    ) -> NDArray[np.uint32] | None:
        """Return places that may be that near; None where all have to be compared."""
        if distance > self._max_distance:
            return None
        words = looked.view(np.uint16).reshape(_WORDS, 1)
        if distance < _WORDS:
            keys = words[: distance + 1] + _OFFSETS[: distance + 1]
        else:
            keys = (words ^ _FLIPS) + _OFFSETS
        starts = self._starts[keys.reshape(-1)]
        sizes = self._starts[keys.reshape(-1) + 1] - starts
        ends = np.cumsum(sizes)
        if ends[-1] > len(self._words):
            return None
        # Each run of places as start, start + 1, …, all runs one after the other.
        runs = np.repeat(starts - ends + sizes, sizes) + np.arange(ends[-1])
        places: NDArray[np.uint32] = self._order[runs]
        return places


def hash_index(values: Sequence[str], max_distance: int) -> HammingIndex:
    """Return the faster index for so many hashes; both find the same."""
    if len(values) < _LINEAR_BELOW:
        return LinearIndex(values)
    return MultiIndex(values, max_distance)


def as_words(values: Sequence[str]) -> NDArray[np.uint64]:
    """Return hashes of 64 hex digits as words: uint64, shape (n, 4)."""
    words = np.empty((len(values), 4), dtype=np.uint64)
    start = 0
    for step in in_steps(values):
        part = bytes.fromhex("".join(step))
        words[start : start + len(step)] = np.frombuffer(part, np.uint64).reshape(-1, 4)
        start += len(step)
    return words


def in_steps(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield items some thousand at a time, letting other threads run in between.

    Python hands its lock over every 5 ms only: whoever searches while a bank is built
    would wait that long for each of a dozen numpy calls.
    """
    for start in range(0, len(items), _STEP):
        yield items[start : start + _STEP]
        if len(items) > _STEP:
            sleep(0)


def _distances(
    words: NDArray[np.uint64], looked: NDArray[np.uint64]
) -> NDArray[np.uint16]:
    """Return in how many bits each row differs: uint16, shape (n,)."""
    differing: NDArray[np.uint16] = np.bitwise_count(words ^ looked).sum(
        axis=1, dtype=np.uint16
    )
    return differing
