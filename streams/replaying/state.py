"""What a partition's replay has come to, on disk: histories, place, counts.

A checkpoint is one transaction; what lies behind the last one is done again.
"""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from schemas.codec import Codec
from schemas.records import ContentSignals, UploaderHistory
from streams.history import stage_key
from streams.replay.tally import Tally
from streams.replay.versions import Version
from streams.replaying.said import digest_of, open_database
from streams.replaying.unmet import MET_TABLES

# Decoded histories kept in memory; one takes 10 KB usually, 150 KB at most.
KEPT_HISTORIES: Final = 1000
_SCHEMA: Final = f"""
{MET_TABLES}
create table if not exists histories (uploader_id text primary key, value blob)
    without rowid;
create table if not exists buried (at integer primary key, reason text not null);
create table if not exists facts (facts text not null);
"""


@dataclass(slots=True)
class Facts:
    """Where a partition's replay stands."""

    next_offset: int
    lines_bytes: int = 0  # Of the result files, up to which they are right.
    flips_bytes: int = 0
    last: Version | None = None  # What decided last.
    tally: Tally = field(default_factory=Tally)
    exact: bool = True  # Histories hold everything since the topic began.
    faithful: bool = True  # Histories hold what was recorded, not a candidate's words.
    buried_read: bool = False

    def to_json(self) -> dict[str, Any]:
        """Write it so that `from_json` reads it back."""
        last = self.last and [self.last.policy, self.last.head]
        return {
            "next_offset": self.next_offset,
            "lines_bytes": self.lines_bytes,
            "flips_bytes": self.flips_bytes,
            "last": last,
            "tally": self.tally.to_json(),
            "exact": self.exact,
            "faithful": self.faithful,
            "buried_read": self.buried_read,
        }

    @classmethod
    def from_json(cls, obj: Mapping[str, Any]) -> "Facts":
        """Read back what `to_json` wrote."""
        last = Version(*obj["last"]) if obj["last"] else None
        return cls(**{**obj, "last": last, "tally": Tally.from_json(obj["tally"])})


class PartitionState:
    """Histories of one partition, the most recent in memory, and the checkpoint."""

    def __init__(self, path: Path, codec: Codec, begin: Facts) -> None:
        """Open; `begin` counts where nothing was checkpointed yet."""
        self._codec = codec
        self._db = open_database(path, to_write=True)
        self._db.executescript(_SCHEMA)
        row = self._db.execute("select facts from facts").fetchone()
        self.facts = Facts.from_json(json.loads(row[0])) if row else begin
        self._kept: OrderedDict[str, UploaderHistory] = OrderedDict()
        self._changed: set[str] = set()
        self._met: list[tuple[object, ...]] = []
        self._words: list[tuple[bytes]] = []
        self._has_buried = self._db.execute("select 1 from buried").fetchone()

    def history(self, uploader_id: str) -> UploaderHistory:
        """Return what is remembered of an uploader; an empty one of a new one."""
        if uploader_id in self._kept:
            self._kept.move_to_end(uploader_id)
            return self._kept[uploader_id]
        row = self._db.execute(
            "select value from histories where uploader_id = ?", (uploader_id,)
        ).fetchone()
        if row is None:
            return UploaderHistory(uploader_id)
        return self._codec.decode(row[0], UploaderHistory)

    def keep(self, history: UploaderHistory) -> None:
        """Remember an uploader's next history."""
        self._kept[history.uploader_id] = history
        self._kept.move_to_end(history.uploader_id)
        self._changed.add(history.uploader_id)
        while len(self._kept) > KEPT_HISTORIES:
            oldest, _ = next(iter(self._kept.items()))
            self._store([oldest])
            del self._kept[oldest]

    def note_met(self, signals: ContentSignals, words: Iterable[bytes]) -> None:
        """Note that signals were met, and which recorded values are known to be theirs.

        Others may be: whoever counts what has no signals (`unmet`) looks at those.
        """
        event = signals.event
        stage = stage_key(signals, signals.stage)
        row = (event.content_id, event.revision, event.uploader_id, stage)
        self._met.append(row)
        self._words.extend((digest_of(value),) for value in words)

    def bury(self, letters: Iterable[tuple[int, str]]) -> None:
        """Note which offsets became dead letters, and why."""
        self._db.executemany("insert or replace into buried values (?, ?)", letters)
        self.facts.buried_read = True
        self._has_buried = self._db.execute("select 1 from buried").fetchone()

    def buried(self, offset: int) -> str | None:
        """Return why a record became a dead letter; None where it did not."""
        if not self._has_buried:
            return None
        row = self._db.execute(
            "select reason from buried where at = ?", (offset,)
        ).fetchone()
        return None if row is None else str(row[0])

    def checkpoint(self) -> None:
        """Put everything on disk as it is now."""
        self._store(self._changed)
        self._db.executemany("insert or ignore into met values (?,?,?,?)", self._met)
        self._db.executemany("insert or ignore into words values (?)", self._words)
        self._met.clear()
        self._words.clear()
        self._db.execute("delete from facts")
        written = json.dumps(self.facts.to_json())
        self._db.execute("insert into facts values (?)", (written,))
        self._db.commit()

    def close(self) -> None:
        """Close the file; what was not checkpointed is done again."""
        self._db.close()

    def _store(self, uploader_ids: Iterable[str]) -> None:
        changed = [u for u in uploader_ids if u in self._changed]
        self._db.executemany(
            "insert or replace into histories values (?, ?)",
            [(u, self._codec.encode(self._kept[u])) for u in changed],
        )
        self._changed.difference_update(changed)


def read_facts(path: Path) -> Facts:
    """Read where a partition's replay stands."""
    database = open_database(path, to_write=False)
    try:
        (written,) = database.execute("select facts from facts").fetchone()
    finally:
        database.close()
    return Facts.from_json(json.loads(written))


def copy_snapshot(source: Path, target: Path) -> None:
    """Take over the histories of a finished replay, and nothing of its results."""
    target.parent.mkdir(parents=True, exist_ok=True)
    old = open_database(source, to_write=False)
    new = open_database(target, to_write=True)
    old.backup(new)
    old.close()
    (written,) = new.execute("select facts from facts").fetchone()
    facts = Facts.from_json(json.loads(written))
    fresh = Facts(facts.next_offset, last=facts.last, exact=facts.exact)
    new.execute("update facts set facts = ?", (json.dumps(fresh.to_json()),))
    new.execute("delete from buried")
    new.execute("delete from met")
    new.execute("delete from words")
    new.commit()
    new.close()
