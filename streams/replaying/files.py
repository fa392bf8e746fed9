"""The files of one partition in a run's folder, written on from a checkpoint."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

_TO_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Files:
    """Where one partition's files are."""

    folder: Path
    partition: int

    @property
    def state(self) -> Path:
        """Histories and place."""
        return self.folder / "state" / f"{self.partition:04}.sqlite"

    @property
    def lines(self) -> Path:
        """A line for each record of the window."""
        return self.folder / "parts" / f"{self.partition:04}.jsonl"

    @property
    def flips(self) -> Path:
        """The flips with their evidence."""
        return self.folder / "parts" / f"{self.partition:04}.flips.jsonl"


def opened(path: Path, size_bytes: int) -> BinaryIO:
    """Open a result file at its last checkpoint; what lies behind is done again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    file = path.open("r+b")
    file.truncate(size_bytes)
    file.seek(size_bytes)
    return file


def json_line(line: dict[str, Any]) -> bytes:
    """Write an object as a line of JSON."""
    return _TO_JSON(line).encode() + b"\n"
