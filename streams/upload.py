"""What enters the pipeline: an event, the media that could be had, and its arrival."""

from dataclasses import dataclass
from datetime import datetime

from schemas.records import ContentIngested, MediaRef, Missing


@dataclass(frozen=True, slots=True)
class FetchedMedia:
    """One piece of media: its bytes, or why they are missing."""

    ref: MediaRef
    data: bytes | None
    missing: Missing | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """An event with its media; `arrived_at` is the record's own time, where known."""

    event: ContentIngested
    fetched: tuple[FetchedMedia, ...] = ()
    arrived_at: datetime | None = None
