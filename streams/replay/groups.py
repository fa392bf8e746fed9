"""Groups that flips are counted in: territories, and how large an uploader is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

ANYWHERE: Final = "anywhere"
# The largest number of learned uploads in each group of uploaders, by decades.
SIZES: Final = ((0, "new"), (9, "1 to 9"), (99, "10 to 99"), (999, "100 to 999"))
LARGEST: Final = "1000 and more"
UNKNOWN_SIZE: Final = "not known"
SIZE_ORDER: Final = (*(name for _, name in SIZES), LARGEST, UNKNOWN_SIZE)


def size_of(uploads: int | None) -> str:
    """Name the group of uploaders with so many learned uploads."""
    if uploads is None:
        return UNKNOWN_SIZE
    return next((name for most, name in SIZES if uploads <= most), LARGEST)


def flips_in_markets(
    territories: Sequence[str], apart: Mapping[str, bool], *, generally: bool
) -> Iterator[tuple[str, bool]]:
    """Give each territory of a release and whether the decision flips there.

    A release without territories is anywhere; those that rules tell apart then stand
    beside it.

    Args:
        territories: where the upload is to be released; empty: anywhere.
        apart: the territories that either decision tells apart, and if it flips there.
        generally: whether it flips everywhere else.
    """
    if not territories:
        yield ANYWHERE, generally
        yield from apart.items()
    for market in territories:
        yield market, apart.get(market, generally)


def in_order(flips: Mapping[str, int], all_of: Mapping[str, int]) -> list[str]:
    """Return the groups of a table: sizes by size, all else by flips."""

    def place(name: str) -> tuple[int, int, str]:
        if name in SIZE_ORDER:
            return SIZE_ORDER.index(name), 0, name
        return 0, -flips.get(name, 0), name

    return sorted(all_of, key=place)
