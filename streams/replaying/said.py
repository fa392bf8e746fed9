"""Recorded decisions on disk, found by content: a file for each partition of theirs.

They are kept as they came, by their records' keys, and decoded when somebody asks what
they say: a window needs few of a topic's, and most are compared by their bytes alone.

A window of any length is joined in bounded memory: SQLite keeps its pages in a cache of
fixed size. A decision takes about 2 KB of disk.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from schemas.codec import Codec
from schemas.records import RiskDecision
from streams.messages import Record
from streams.replay.recorded import Recorded

CACHE_KB: Final = 8 * 1024
_BATCH: Final = 2000  # Records between commits; a kill reads so many again.
_SCHEMA: Final = """
create table if not exists said (
    key blob not null, digest blob not null, time_ms integer not null,
    value blob not null, unique (key, digest));
create table if not exists place (next_offset integer not null);
"""
Stop = Callable[[], bool]
Tell = Callable[[int], None]


class Said:
    """The decisions of one partition; an upload's, in the order they were written."""

    def __init__(self, path: Path, codec: Codec, *, to_write: bool = False) -> None:
        """Open; blocks. What is read only may be read by many processes."""
        self._db = open_database(path, to_write=to_write)
        self._codec = codec
        if to_write:
            self._db.executescript(_SCHEMA)

    @property
    def next_offset(self) -> int:
        """Up to where the partition is indexed; 0 for one that was not begun."""
        row = self._db.execute("select next_offset from place").fetchone()
        return int(row[0]) if row else 0

    def index(
        self, records: Iterable[Record], end: int, *, stop: Stop, tell: Tell
    ) -> None:
        """Take in records up to `end`; can be stopped and goes on where it was.

        `stop` is asked, and `tell` told how many offsets were taken, now and then.
        """
        begun = self.next_offset
        rows: list[tuple[object, ...]] = []
        for record in records:
            value = record.value or b""
            row = (record.key or b"", digest_of(value), record.timestamp_ms, value)
            rows.append(row)
            if len(rows) == _BATCH:
                self._write(rows, record.offset + 1)
                tell(record.offset + 1 - begun)
                rows, begun = [], record.offset + 1
                if stop():
                    return
        self._write(rows, end)
        tell(end - begun)

    def of(self, content_id: str) -> tuple[Recorded, ...]:
        """Return everything that was recorded on a content; repeats once."""
        found = self._db.execute(
            "select value, time_ms from said where key = ? order by rowid",
            (content_id.encode(),),
        )
        return tuple(Recorded(value, self.decode, time_ms) for value, time_ms in found)

    def decode(self, value: bytes) -> RiskDecision:
        """Read a decision.

        Raises:
            CodecError: it is none.
        """
        return self._codec.decode(value, RiskDecision)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _write(self, rows: list[tuple[object, ...]], next_offset: int) -> None:
        with self._db:
            self._db.executemany("insert or ignore into said values (?,?,?,?)", rows)
            self._db.execute("delete from place")
            self._db.execute("insert into place values (?)", (next_offset,))


def digest_of(value: bytes) -> bytes:
    """Return 16 bytes that tell values apart."""
    return hashlib.blake2b(value, digest_size=16).digest()


def open_database(path: Path, *, to_write: bool) -> sqlite3.Connection:
    """Open a SQLite file with a small cache; a commit may be lost to a power cut.

    That costs work and no truth: what was lost is done again.
    """
    named = f"{path.resolve().as_uri()}?mode=rwc" if to_write else read_only(path)
    database = sqlite3.connect(named, uri=True)
    database.execute(f"pragma cache_size = -{CACHE_KB}")
    if to_write:
        database.execute("pragma synchronous = normal")
        database.execute("pragma journal_mode = wal")
    return database


def read_only(path: Path) -> str:
    """Name a SQLite file so that it is opened to be read only."""
    return f"{path.resolve().as_uri()}?mode=ro"
