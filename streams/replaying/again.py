"""Understands uploads again, from content.ingested.v1, through the local pipeline.

The recorded signals say in which order uploads were judged, and how long each stage
took: measured times can't be repeated and are taken from the record.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from schemas.codec import Codec
from schemas.records import ContentIngested, ContentSignals, Stage
from streams.errors import EventError
from streams.messages import Record
from streams.replaying.said import open_database
from streams.retries import retried
from streams.settings import Settings
from streams.upload import FetchedMedia, Upload
from streams.wire import decode_event
from streams.wiring import build_codec, build_pipeline, build_store

# Stages that are made from an event alone; a sweep's signals also hold what banks came
# to know later, and are judged as recorded.
_FROM_EVENT: Final = (Stage.SCREENED, Stage.COMPLETE)
_SCHEMA: Final = """
create table if not exists events (
    content_id text not null, revision integer not null, time_ms integer not null,
    value blob not null);
create index if not exists by_content on events (content_id, revision);
create table if not exists whole (yes integer not null);
"""


class Again:
    """Makes the signals of recorded uploads anew; loads the models."""

    def __init__(
        self, settings: Settings, folder: Path, warn: Callable[[str], None]
    ) -> None:
        """Load the models; `warn` is told when speech can't be loaded.

        Raises:
            StartError: one can't be had.
        """
        self._codec = build_codec(settings)
        self._pipeline = build_pipeline(settings, warn)
        self._store = build_store(settings)
        self._retries = settings.retries
        self._events = open_database(events_file(folder), to_write=False)

    def fresh(self, recorded: ContentSignals) -> ContentSignals | None:
        """Return an upload's signals, made again; None if its event is gone.

        Raises:
            HeadgateError: its media can't be had.
        """
        if recorded.stage not in _FROM_EVENT:
            return recorded
        found = self._event(recorded.event)
        if found is None:
            return None
        event, arrived_at = found
        upload = Upload(event, asyncio.run(self._fetch(event)), arrived_at)
        screened = recorded.stage is Stage.SCREENED
        make = self._pipeline.screen if screened else self._pipeline.encode
        return replace(
            make(upload),
            stage_times=recorded.stage_times,
            provisional_sent=recorded.provisional_sent,
        )

    def _event(
        self, recorded: ContentIngested
    ) -> tuple[ContentIngested, datetime | None] | None:
        """Find an event: of several of one revision the one that was understood."""
        rows = self._events.execute(
            "select value, time_ms from events where content_id = ? and revision = ? "
            "order by rowid",
            (recorded.content_id, recorded.revision),
        )
        found = [(self._codec.decode(v, ContentIngested), _time(ms)) for v, ms in rows]
        equal = [one for one in found if one[0] == recorded]
        return next(iter(equal or found), None)

    async def _fetch(self, event: ContentIngested) -> tuple[FetchedMedia, ...]:
        fetched = []
        for ref in event.media:
            media, _ = await retried(partial(self._store.fetch, ref), self._retries)
            fetched.append(media)
        return tuple(fetched)


def events_file(folder: Path) -> Path:
    """Name the index of events in a run's folder."""
    return folder / "said" / "events.sqlite"


def index_events(folder: Path, records: Iterable[Record], codec: Codec) -> None:
    """Index events by content; what can't be decoded never became signals."""
    database = open_database(events_file(folder), to_write=True)
    try:
        database.executescript(_SCHEMA)
        if database.execute("select yes from whole").fetchone():
            return
        database.execute("delete from events")  # Of a run that was stopped.
        for record in records:
            _take(database, record, codec)
        database.execute("insert into whole values (1)")
        database.commit()
    finally:
        database.close()


def _take(database: sqlite3.Connection, record: Record, codec: Codec) -> None:
    try:
        event = decode_event(codec, record)
    except EventError:
        return
    database.execute(
        "insert into events values (?, ?, ?, ?)",
        (event.content_id, event.revision, record.timestamp_ms, codec.encode(event)),
    )


def _time(time_ms: int) -> datetime | None:
    return None if time_ms < 0 else datetime.fromtimestamp(time_ms / 1000, UTC)
