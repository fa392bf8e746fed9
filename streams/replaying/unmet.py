"""Recorded decisions without signals: lost, cut by retention, or somebody else's.

SQLite joins what was recorded with what was met, on disk: windows are of any length.
Only what no replayed word equals is decoded.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.codec import Codec
from schemas.errors import CodecError
from schemas.records import RiskDecision
from streams.decision_ids import decision_id_of
from streams.replay.compensation import is_correction
from streams.replaying.request import ALWAYS_MS
from streams.replaying.said import open_database, read_only

ALWAYS: Final = (-ALWAYS_MS, ALWAYS_MS)
# The signals that were met, and the recorded values that are known to be theirs.
MET_TABLES: Final = """
create table if not exists met (
    content_id text not null, revision integer not null, uploader_id text not null,
    stage text not null, primary key (content_id, revision, uploader_id, stage))
    without rowid;
create table if not exists words (digest blob primary key) without rowid;
"""
_OTHERS: Final = """
select value from said where time_ms >= ? and time_ms < ?
and digest not in (select digest from part.words)
"""
_STAGES: Final = """
select stage from part.met
where content_id = ? and revision = ? and uploader_id = ?
"""


@dataclass(frozen=True, slots=True)
class Unmet:
    """How many recorded values belong to no signals that a replay met."""

    decisions: int = 0  # But corrections: they answer no signals of their own.
    unreadable: int = 0  # What is no decision.

    def __add__(self, other: "Unmet") -> "Unmet":
        """Add up partitions."""
        return Unmet(
            self.decisions + other.decisions, self.unreadable + other.unreadable
        )


def gather_met(target: Path, states: Iterable[Path]) -> None:
    """Join what all partitions met in one file; one that is there is gone on with."""
    with closing(open_database(target, to_write=True)) as database:
        database.executescript(MET_TABLES)
        for path in states:
            with _part(database, path), database:
                for table in ("met", "words"):
                    database.execute(
                        f"insert or ignore into {table} select * from part.{table}"
                    )


def unmet(
    said: Path,
    met: Path,
    codec: Codec,
    span_ms: tuple[int, int] = ALWAYS,
) -> Unmet:
    """Count what was recorded in a partition and belongs to nothing that was met.

    Args:
        said: the index of the recorded decisions.
        met: what `gather_met` made.
        codec: reads the decisions.
        span_ms: from when to before when they were written.
    """
    count = Unmet()
    opened = closing(open_database(said, to_write=False))
    with opened as database, _part(database, met):
        for (value,) in database.execute(_OTHERS, span_ms):
            try:
                decision = codec.decode(value, RiskDecision)
            except CodecError:
                count += Unmet(unreadable=1)
                continue
            if not is_correction(decision) and not _is_met(database, decision):
                count += Unmet(decisions=1)
    return count


def _is_met(database: sqlite3.Connection, decision: RiskDecision) -> bool:
    """Say whether its signals were met; which stage's they were only its id tells."""
    content_id, revision = decision.content_id, decision.revision
    found = database.execute(_STAGES, (content_id, revision, decision.uploader_id))
    return any(
        decision_id_of(content_id, revision, stage, decision.policy.sha256)
        == decision.decision_id
        for (stage,) in found
    )


@contextmanager
def _part(database: sqlite3.Connection, path: Path) -> Iterator[None]:
    database.execute("attach ? as part", (read_only(path),))
    try:
        yield
    finally:
        database.execute("detach part")
