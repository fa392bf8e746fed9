"""What banks hold and what is looked for in them: the words of `banks`.

After `hashing`, before `bank_searches`.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

# What a value of each algorithm is, as a pattern and in words. A video is known by at
# most 2,000 key frames, sound by ten minutes (8 items a second).
VALUES: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "sha256": (re.compile(r"[0-9a-f]{64}"), "64 hex digits"),
    "pdq": (re.compile(r"[0-9a-f]{64}"), "64 hex digits"),
    "vpdq": (
        re.compile(r"(?:[0-9a-f]{64}){1,2000}"),
        "64 hex digits for each of 1 to 2000 key frames",
    ),
    "chromaprint": (
        re.compile(r"(?:[0-9a-f]{8}){24,5000}"),
        "8 hex digits for each of 24 to 5000 items",
    ),
}
_CATEGORY: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_ID: Final = re.compile(r"[^\x00-\x1f\x7f]{1,256}")


class BankError(Exception):
    """A bank that can't be used; says file, line, what was found and expected."""


@dataclass(frozen=True, slots=True)
class KnownHash:
    """One entry of a bank; `value` is lower-case hex."""

    entry_id: str
    algorithm: str
    value: str
    category: str


@dataclass(frozen=True, slots=True)
class ContentHash:
    """A hash of uploaded content that is looked for; `quality` is PDQ's.

    Key frames of one video have the same `video`; None is no frame.
    """

    algorithm: str
    value: str
    quality: int | None = None
    video: str | None = None


@dataclass(frozen=True, slots=True)
class BankHit:
    """A hash found in a bank; `hash_index` is its place among those looked for.

    `distance` is in bits of 256; 0 only where all are the same.
    """

    bank: str
    entry_id: str
    category: str
    algorithm: str
    distance: int
    hash_index: int


def wrong_entry(
    known: KnownHash, categories: Collection[str] | None
) -> tuple[str, str] | None:
    """Return the first bad field of an entry and what was expected there."""
    if not _ID.fullmatch(known.entry_id):
        return "entry_id", "a name of the entry, 1 to 256 characters"
    if known.algorithm not in VALUES:
        return "algorithm", " or ".join(VALUES)
    pattern, expected = VALUES[known.algorithm]
    if not pattern.fullmatch(known.value):
        return "value", expected
    if not _CATEGORY.fullmatch(known.category):
        return "category", "a category's name, such as CHILD_SAFETY"
    if categories is not None and known.category not in categories:
        return "category", f"one of {', '.join(sorted(categories))}"
    return None
