"""Reads a NAB folder: its series and where they are anomalous."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from streams.errors import StartError
from streams.nab.scoring import Truth

# NAB's own place first, then that of a folder with only data and labels.
WINDOW_FILES = ("labels/combined_windows.json", "combined_windows.json")


@dataclass(frozen=True, slots=True)
class Series:
    """One file of the corpus.

    `timestamps` are as written, `times_s` Unix seconds as if UTC, `values` numbers; one
    each a point. `labels` are 1 inside a window.
    """

    truth: Truth
    timestamps: tuple[str, ...]
    times_s: tuple[float, ...]
    values: tuple[float, ...]
    labels: tuple[int, ...]

    @property
    def category(self) -> str:
        """Return the folder's name."""
        return self.truth.name.split("/")[0]

    @property
    def file(self) -> str:
        """Return the file's name in its folder."""
        return self.truth.name.split("/")[-1]


def read_corpus(folder: Path) -> Iterator[Series]:
    """Read every series with labels, by category and name.

    Raises StartError for a folder that is none, or a file that can't be read.
    """
    windows = _read_windows(folder)
    files = sorted((folder / "data").glob("*/*.csv"))
    if not files:
        raise StartError(f"{folder}: no data/CATEGORY/FILE.csv; expected a NAB folder")
    for path in files:
        name = f"{path.parent.name}/{path.name}"
        if name not in windows:
            raise StartError(f"{name}: its windows are missing; expected [] for none")
        yield _read_series(path, name, windows[name])


def _read_windows(folder: Path) -> dict[str, list[list[str]]]:
    for name in WINDOW_FILES:
        path = folder / name
        if path.is_file():
            found: dict[str, list[list[str]]] = json.loads(path.read_text())
            return found
    raise StartError(f"{folder}: neither {' nor '.join(WINDOW_FILES)} is there")


def _read_series(path: Path, name: str, limits: list[list[str]]) -> Series:
    with path.open(newline="") as lines:
        rows = list(csv.reader(lines))
    if not rows or rows[0] != ["timestamp", "value"]:
        raise StartError(f"{path}: expected the columns timestamp,value")
    try:
        timestamps = tuple(row[0] for row in rows[1:])
        values = tuple(float(row[1]) for row in rows[1:])
        times_s = tuple(_seconds(written) for written in timestamps)
        limits_s = sorted((_seconds(first), _seconds(last)) for first, last in limits)
        windows = tuple(
            (times_s.index(first_s), times_s.index(last_s))
            for first_s, last_s in limits_s
        )
    except (IndexError, ValueError) as error:
        raise StartError(f"{path}: {error}; expected a time and a number") from error
    labels = tuple(
        int(any(first_s <= time_s <= last_s for first_s, last_s in limits_s))
        for time_s in times_s
    )
    truth = Truth(name, len(values), windows)
    return Series(truth, timestamps, times_s, values, labels)


def _seconds(written: str) -> float:
    """Return Unix seconds; NAB's times name no zone and mean none."""
    return datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp()
