"""Banks: lists of known hashes, and finding a hash in them.

After `hashing`. A bank is a CSV file's text with the columns `entry_id`, `algorithm`
(sha256 or pdq), `value` (hex), `category` and, if wanted, `note`; a line that begins
with # is a comment.
"""

import csv
import hashlib
import io
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

# Both from ThreatExchange's PDQ documents: the distance that counts as a match, and
# the quality below which a hash should not be used.
PDQ_MAX_DISTANCE: Final = 31
PDQ_MIN_QUALITY: Final = 50

_COLUMNS: Final = ("entry_id", "algorithm", "value", "category")
_ALGORITHMS: Final = ("sha256", "pdq")
_VALUE: Final = re.compile(r"[0-9a-f]{64}")  # Both algorithms give 256 bits.
_CATEGORY: Final = re.compile(r"[A-Z][A-Z0-9_]*")


class BankError(Exception):
    """A bank that can't be used; says file, line, what was found and expected."""


@dataclass(frozen=True, slots=True)
class KnownHash:
    """One line of a bank."""

    entry_id: str
    algorithm: str
    value: str
    category: str


@dataclass(frozen=True, slots=True)
class ContentHash:
    """A hash of uploaded content that is looked for; `quality` is PDQ's."""

    algorithm: str
    value: str
    quality: int | None = None


@dataclass(frozen=True, slots=True)
class BankHit:
    """A hash found in a bank; `hash_index` is its place among those looked for."""

    bank: str
    entry_id: str
    category: str
    algorithm: str
    distance: int
    hash_index: int


class HammingIndex(Protocol):
    """The seam for search by distance."""

    def within(self, value: str, distance: int) -> list[tuple[int, int]]:
        """Return (position, distance) of every hash that near, by position."""


class LinearIndex:
    """Compares with every hash of the bank: exact, and fast to some 100,000."""

    def __init__(self, values: Sequence[str]) -> None:
        """`values` are of 64 hex digits each."""
        self._words = _words("".join(values))

    def within(self, value: str, distance: int) -> list[tuple[int, int]]:
        """Return (position, distance) of every hash that near, by position."""
        distances = np.bitwise_count(self._words ^ _words(value)).sum(
            axis=1, dtype=np.uint16
        )
        near = np.flatnonzero(distances <= distance)
        return [(int(place), int(distances[place])) for place in near]


@dataclass(frozen=True, slots=True, eq=False)
class HashBank:
    """A list of known hashes, ready to be searched; never changes.

    `sha256` is of the bank's text, as `sha256sum` tells it for the file.
    """

    name: str
    sha256: str
    entries: tuple[KnownHash, ...] = field(repr=False)
    _exact: Mapping[str, tuple[KnownHash, ...]] = field(repr=False)
    _pdq: tuple[KnownHash, ...] = field(repr=False)
    _index: HammingIndex = field(repr=False)

    def match(self, hashes: Sequence[ContentHash]) -> tuple[BankHit, ...]:
        """Find known hashes: sha256 exactly, PDQ within 31 bits from quality 50 on.

        Hits are in the order of `hashes`, nearest first, then by entry.
        """
        hits = [
            BankHit(
                self.name, known.entry_id, known.category, looked.algorithm, bits, i
            )
            for i, looked in enumerate(hashes)
            for known, bits in self._find(looked)
        ]
        return tuple(sorted(hits, key=lambda h: (h.hash_index, h.distance, h.entry_id)))

    def _find(self, looked: ContentHash) -> Iterator[tuple[KnownHash, int]]:
        if looked.algorithm == "sha256":
            for known in self._exact.get(looked.value, ()):
                yield known, 0
        elif looked.algorithm == "pdq" and (looked.quality or 0) >= PDQ_MIN_QUALITY:
            for place, bits in self._index.within(looked.value, PDQ_MAX_DISTANCE):
                yield self._pdq[place], bits


def load_bank(
    text: str,
    name: str,
    categories: Collection[str] | None = None,
    index: Callable[[Sequence[str]], HammingIndex] = LinearIndex,
) -> HashBank:
    """Read a bank from its CSV text; `name` is the file's, for errors and decisions.

    `categories` are those that may appear, in upper case; None allows any.

    Raises:
        BankError: the text is no bank.
    """
    entries = tuple(dict.fromkeys(_rows(text, name, categories)))
    exact: dict[str, tuple[KnownHash, ...]] = {}
    for known in entries:
        if known.algorithm == "sha256":
            exact[known.value] = (*exact.get(known.value, ()), known)
    pdq = tuple(known for known in entries if known.algorithm == "pdq")
    return HashBank(
        name=name,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        entries=entries,
        _exact=MappingProxyType(exact),
        _pdq=pdq,
        _index=index([known.value for known in pdq]),
    )


def _rows(
    text: str, name: str, categories: Collection[str] | None
) -> Iterator[KnownHash]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    header: list[str] | None = None
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if header is None:
                header = _header(cells, f"{name}:{reader.line_num}")
            else:
                yield _entry(cells, header, categories, f"{name}:{reader.line_num}")
    except csv.Error as error:
        raise BankError(
            f"{name}:{reader.line_num}: not CSV ({error}); expected columns separated "
            "by commas, and quotes closed"
        ) from error
    if header is None:
        raise BankError(f"{name}:1: empty; expected the header {','.join(_COLUMNS)}")


def _header(cells: list[str], where: str) -> list[str]:
    if set(cells) - {"note"} != set(_COLUMNS) or len(set(cells)) != len(cells):
        raise BankError(
            f"{where}: columns are {','.join(cells)!r}; expected "
            f"{','.join(_COLUMNS)} and, if wanted, note"
        )
    return cells


def _entry(
    cells: list[str],
    header: list[str],
    categories: Collection[str] | None,
    where: str,
) -> KnownHash:
    if len(cells) != len(header):
        raise BankError(f"{where}: {len(cells)} columns; expected {len(header)}")
    row = dict(zip(header, cells, strict=True))
    known = KnownHash(
        row["entry_id"],
        row["algorithm"].lower(),
        row["value"].lower(),
        row["category"].upper(),
    )
    wrong = _wrong(known, categories)
    if wrong is not None:
        column, expected = wrong
        raise BankError(f"{where}: {column} is {row[column]!r}; expected {expected}")
    return known


def _wrong(
    known: KnownHash, categories: Collection[str] | None
) -> tuple[str, str] | None:
    """Return the first bad column and what was expected there."""
    if not known.entry_id:
        return "entry_id", "a name of the entry"
    if known.algorithm not in _ALGORITHMS:
        return "algorithm", " or ".join(_ALGORITHMS)
    if not _VALUE.fullmatch(known.value):
        return "value", "64 hex digits"
    if not _CATEGORY.fullmatch(known.category):
        return "category", "a category's name, such as CHILD_SAFETY"
    if categories is not None and known.category not in categories:
        return "category", f"one of {', '.join(sorted(categories))}"
    return None


def _words(hex_digits: str) -> NDArray[np.uint64]:
    """Return hashes of 64 hex digits as words: uint64, shape (n, 4)."""
    words = np.frombuffer(bytes.fromhex(hex_digits), dtype=np.uint64)
    return words.reshape(-1, 4)
