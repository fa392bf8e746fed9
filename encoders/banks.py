"""Banks: lists of known hashes, and finding a hash in them.

After `bank_searches`. `HashBank` never changes; `live_bank.LiveBank` does, and gives a
bank that does not for each upload.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from encoders.bank_entries import BankHit, ContentHash, KnownHash
from encoders.bank_searches import (
    PDQ_MAX_DISTANCE,
    PDQ_MIN_QUALITY,
    BitsSearch,
    Search,
    SoundSearch,
    VideoSearch,
)
from encoders.hash_index import in_steps


class Bank(Protocol):
    """Known hashes, ready to be searched; never changes, any thread may search."""

    @property
    def name(self) -> str:
        """What decisions call it."""

    @property
    def sha256(self) -> str:
        """Its version, lower-case hex: the same entries have the same."""

    @property
    def algorithms(self) -> frozenset[str]:
        """The kinds of hashes it holds."""

    def match(self, hashes: Sequence[ContentHash]) -> tuple[BankHit, ...]:
        """Find known hashes, in the order of `hashes`, nearest first, then by entry."""


class BankSource(Protocol):
    """Where the banks of this moment come from."""

    def banks(self) -> Sequence[Bank]:
        """Return the banks as they are now; never blocks."""


@dataclass(frozen=True, slots=True, eq=False)
class HashBank:
    """A list of known hashes that never changes."""

    name: str
    sha256: str
    entries: tuple[KnownHash, ...] = field(repr=False)
    _searches: Mapping[str, Search] = field(repr=False)  # By algorithm.

    @classmethod
    def of(cls, name: str, sha256: str, entries: Sequence[KnownHash]) -> "HashBank":
        """Make a bank of entries that were checked; builds its indexes."""
        return cls(name, sha256, tuple(entries), dict(_searches(entries)))

    def banks(self) -> "tuple[HashBank]":
        """Return itself: see `BankSource`."""
        return (self,)

    @property
    def algorithms(self) -> frozenset[str]:
        """See `Bank`."""
        return frozenset(self._searches)

    def match(self, hashes: Sequence[ContentHash]) -> tuple[BankHit, ...]:
        """See `Bank`: sha256 exactly, PDQ within 31 bits from quality 50 on."""
        hits = (
            BankHit(self.name, known.entry_id, known.category, known.algorithm, bits, i)
            for search in self._searches.values()
            for i, known, bits in search.find(hashes)
        )
        return in_order(hits)


def in_order(hits: Iterable[BankHit]) -> tuple[BankHit, ...]:
    """Return hits as banks give them: see `Bank.match`."""
    return tuple(sorted(hits, key=lambda h: (h.hash_index, h.distance, h.entry_id)))


def _searches(entries: Sequence[KnownHash]) -> Iterator[tuple[str, Search]]:
    by_algorithm: dict[str, list[KnownHash]] = {}
    for step in in_steps(entries):
        for one in step:
            by_algorithm.setdefault(one.algorithm, []).append(one)
    for algorithm, known in by_algorithm.items():
        match algorithm:
            case "sha256":
                yield algorithm, BitsSearch(known, "sha256", 0)
            case "pdq":
                yield (
                    algorithm,
                    BitsSearch(known, "pdq", PDQ_MAX_DISTANCE, PDQ_MIN_QUALITY),
                )
            case "vpdq":
                yield algorithm, VideoSearch(known)
            case "chromaprint":
                yield algorithm, SoundSearch(known)
