"""Recorded decisions on disk, found by content: a file for each partition of theirs.

A window of any length is joined in bounded memory: SQLite keeps its pages in a cache of
fixed size. A decision takes about 2 KB of disk.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from schemas.codec import Codec
from schemas.errors import CodecError
from schemas.records import RiskDecision
from streams.messages import Record
from streams.replay.compensation import is_correction
from streams.replay.recorded import Recorded

CACHE_KB: Final = 8 * 1024
_BATCH: Final = 2000  # Records between commits; a kill reads so many again.
_SCHEMA: Final = """
create table if not exists said (
    content_id text not null, decision_id text not null, digest blob not null,
    policy text not null, uploader_id text not null, time_ms integer not null,
    value blob not null, corrects integer not null,
    unique (content_id, decision_id, digest));
create table if not exists place (
    next_offset integer not null, unreadable integer not null);
"""
Stop = Callable[[], bool]
Tell = Callable[[int], None]


class Said:
    """The decisions of one partition; an upload's, in the order they were written."""

    def __init__(self, path: Path, *, to_write: bool = False) -> None:
        """Open; blocks. What is read only may be read by many processes."""
        self._db = open_database(path, to_write=to_write)
        if to_write:
            self._db.executescript(_SCHEMA)

    @property
    def next_offset(self) -> int:
        """Up to where the partition is indexed; 0 for one that was not begun."""
        return self._place()[0]

    @property
    def unreadable(self) -> int:
        """How many records could not be read as decisions."""
        return self._place()[1]

    def index(
        self,
        records: Iterable[Record],
        end: int,
        codec: Codec,
        *,
        stop: Stop,
        tell: Tell,
    ) -> None:
        """Take in records up to `end`; can be stopped and goes on where it was.

        `stop` is asked, and `tell` told how many offsets were taken, now and then.
        """
        begun = self.next_offset
        rows: list[tuple[object, ...]] = []
        unreadable = self.unreadable
        for record in records:
            row = _row(record, codec)
            unreadable += row is None
            rows += [row] if row else []
            if len(rows) == _BATCH:
                self._write(rows, record.offset + 1, unreadable)
                tell(record.offset + 1 - begun)
                rows, begun = [], record.offset + 1
                if stop():
                    return
        self._write(rows, end, unreadable)
        tell(end - begun)

    def of(self, content_id: str) -> tuple[Recorded, ...]:
        """Return everything that was recorded on a content; repeats once."""
        found = self._db.execute(
            "select decision_id, policy, uploader_id, value, time_ms from said "
            "where content_id = ? order by rowid",
            (content_id,),
        )
        return tuple(Recorded(*row) for row in found)

    def ids(self, start_ms: int, end_ms: int) -> Iterable[str]:
        """Yield the ids of the decisions written in a span of time, but corrections."""
        found = self._db.execute(
            "select distinct decision_id from said where time_ms >= ? and time_ms < ? "
            "and not corrects",
            (start_ms, end_ms),
        )
        return (row[0] for row in found)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _place(self) -> tuple[int, int]:
        row = self._db.execute("select next_offset, unreadable from place").fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def _write(
        self, rows: list[tuple[object, ...]], next_offset: int, unreadable: int
    ) -> None:
        with self._db:
            self._db.executemany(
                "insert or ignore into said values (?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
            self._db.execute("delete from place")
            self._db.execute(
                "insert into place values (?, ?)", (next_offset, unreadable)
            )


def open_database(path: Path, *, to_write: bool) -> sqlite3.Connection:
    """Open a SQLite file with a small cache; a commit may be lost to a power cut.

    That costs work and no truth: what was lost is done again.
    """
    mode = "rwc" if to_write else "ro"
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True)
    database.execute(f"pragma cache_size = -{CACHE_KB}")
    if to_write:
        database.execute("pragma synchronous = normal")
        database.execute("pragma journal_mode = wal")
    return database


def _row(record: Record, codec: Codec) -> tuple[object, ...] | None:
    try:
        decision = codec.decode(record.value, RiskDecision)
    except CodecError:
        return None
    value = record.value or b""
    return (
        decision.content_id,
        decision.decision_id,
        hashlib.blake2b(value, digest_size=16).digest(),
        decision.policy.sha256,
        decision.uploader_id,
        record.timestamp_ms,
        value,
        is_correction(decision),
    )
