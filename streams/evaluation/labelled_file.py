"""Labelled rows from a JSONL or CSV file; what is wrong with a line is said with it.

The edge for `headgate eval text` and `headgate tune`: bounded, strict, line by line.
"""

import csv
import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final

from streams.errors import StartError

MAX_FILE_BYTES: Final = 1024**3
MAX_LINE_BYTES: Final = 16 * 1024 * 1024
MAX_ROWS: Final = 1_000_000
JSON_SUFFIXES: Final = (".jsonl", ".ndjson")

UNKNOWN: Final = frozenset({"", "null", "none", "nan", "na", "unknown"})
_RIGHT: Final = frozenset({"1", "1.0", "true", "yes"})
_WRONG: Final = frozenset({"0", "0.0", "false", "no"})


@dataclass(frozen=True, slots=True)
class Row:
    """One line's values by column, and where it stands."""

    values: Mapping[str, Any]
    where: str  # FILE:LINE.

    def need(self, column: str) -> Any:
        """Return a column's value.

        Raises:
            StartError: the row has no such column.
        """
        if column not in self.values:
            names = ", ".join(sorted(self.values)[:20])
            raise StartError(
                f"{self.where}: no column {column!r}; there are {names}: name the "
                "right one"
            )
        return self.values[column]

    def text(self, column: str) -> str:
        """Return a column's text.

        Raises:
            StartError: it is none.
        """
        value = self.need(column)
        if not isinstance(value, str):
            raise StartError(
                f"{self.where}: {column} is {type(value).__name__}; expected a text"
            )
        return value

    def number(self, column: str) -> float:
        """Return a column's number in [0, 1].

        Raises:
            StartError: it is none.
        """
        value = self.need(column)
        try:
            found = float(value)
        except (TypeError, ValueError):
            found = math.nan
        if isinstance(value, bool) or not 0.0 <= found <= 1.0:
            raise StartError(
                f"{self.where}: {column} is {_short(value)}; expected a number in "
                "[0, 1]"
            )
        return found


@dataclass(frozen=True, slots=True)
class LabelWords:
    """Which words mean yes and no, beside 1, true, yes and 0, false, no."""

    positive: Collection[str] = ()
    negative: Collection[str] = ()

    def label(self, row: Row, column: str) -> float:
        """Return 1, 0, or NaN where the label is missing; an absent key is too.

        Raises:
            StartError: the value is none of these.
        """
        value = row.values.get(column)
        word = "" if value is None else str(value).strip().lower()
        if word in {w.lower() for w in self.positive} or word in _RIGHT:
            return 1.0
        if word in {w.lower() for w in self.negative} or word in _WRONG:
            return 0.0
        if word in UNKNOWN:
            return math.nan
        raise StartError(
            f"{row.where}: {column} is {_short(value)}; expected 1, 0 or nothing; say "
            "what it means with --positive or --negative"
        )


def read_rows(path: Path) -> Iterator[Row]:
    """Read a file row by row; blank lines are passed over.

    Raises:
        StartError: it can't be read, is too large, or a line is no row.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise StartError(
                f"{path} has {size} bytes; at most {MAX_FILE_BYTES} are read: split it"
            )
        read = _json_rows if path.suffix.lower() in JSON_SUFFIXES else _csv_rows
        for count, row in enumerate(read(path), start=1):
            if count > MAX_ROWS:
                raise StartError(f"{path} has over {MAX_ROWS} rows: split it")
            yield row
    except OSError as error:
        raise StartError(f"{path} can't be read: {error.strerror}") from error


def with_column(rows: Iterable[Row], column: str) -> Iterator[Row]:
    """Pass rows on; a column that none of them has is a slip, not unknown labels.

    Raises:
        StartError: at the end, if no row had it.
    """
    found, row = False, None
    for row in rows:
        found = found or column in row.values
        yield row
    if row is not None and not found:
        names = ", ".join(sorted(row.values)[:20])
        raise StartError(
            f"{row.where} and all before have no column {column!r}; there are {names}: "
            "name the right one"
        )


def _json_rows(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            where = f"{path}:{number}"
            if len(line) > MAX_LINE_BYTES:
                raise StartError(f"{where}: over {MAX_LINE_BYTES} bytes: cut it")
            if line.strip():
                yield Row(_object(line, where), where)


def _object(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise StartError(f"{where}: not JSON; expected an object a line") from error
    if not isinstance(value, dict):
        raise StartError(f"{where}: {type(value).__name__}; expected a JSON object")
    return value


def _csv_rows(path: Path) -> Iterator[Row]:
    csv.field_size_limit(MAX_LINE_BYTES)
    with path.open("rb") as raw:
        lines = TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        reader = csv.DictReader(lines, restkey="", strict=True)
        while True:
            where = f"{path}:{reader.line_num + 1}"
            try:
                values = next(reader, None)
            except UnicodeDecodeError as error:
                raise StartError(f"{where}: not UTF-8: save it so") from error
            except csv.Error as error:
                raise StartError(f"{where}: not CSV: {error}") from error
            if values is None:
                return
            if "" in values:
                count = len(reader.fieldnames or ())
                raise StartError(f"{where}: more than the header's {count} columns")
            yield Row({k: v for k, v in values.items() if v is not None}, where)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…'"
