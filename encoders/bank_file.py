"""Reads a bank from a file.

After `banks`. CSV with the columns `entry_id`, `algorithm`, `value`, `category` and, if
wanted, `note`; a line that begins with # is a comment.
"""

import csv
import hashlib
import io
from collections.abc import Collection, Iterator
from typing import Final

from encoders.bank_entries import BankError, KnownHash, wrong_entry
from encoders.banks import HashBank

_COLUMNS: Final = ("entry_id", "algorithm", "value", "category")


def load_bank(
    text: str, name: str, categories: Collection[str] | None = None
) -> HashBank:
    """Read a bank from its CSV text; `name` is the file's, for errors and decisions.

    Its version is the SHA-256 of the text, as `sha256sum` tells it for the file.
    `categories` are those that may appear, in upper case; None allows any.

    Raises:
        BankError: the text is no bank.
    """
    entries = read_entries(text, name, categories)
    return HashBank.of(name, hashlib.sha256(text.encode()).hexdigest(), entries)


def read_entries(
    text: str, name: str, categories: Collection[str] | None = None
) -> tuple[KnownHash, ...]:
    """Return the entries of a bank's CSV text, each once; see `load_bank`."""
    return tuple(dict.fromkeys(_rows(text, name, categories)))


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
    wrong = wrong_entry(known, categories)
    if wrong is not None:
        column, expected = wrong
        raise BankError(f"{where}: {column} is {row[column]!r}; expected {expected}")
    return known
