"""An upload, as the platform tells of it."""

from dataclasses import dataclass
from datetime import datetime

from schemas.records.words import Kind


@dataclass(frozen=True, slots=True)
class MediaRef:
    """Where one piece of media lies; the bytes never travel on the stream."""

    role: str  # What it is to the upload: audio, video, cover, …
    uri: str
    mime: str | None = None
    sha256: str | None = None  # Lower-case hex; checked against the bytes when given.
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ContentIngested:
    """An upload as it arrived: the event."""

    content_id: str
    uploader_id: str
    kind: Kind
    event_time: datetime  # Aware, UTC, microseconds.
    event_id: str = ""
    revision: int = 0  # Rises when the same content is uploaded anew.
    texts: tuple[tuple[str, str], ...] = ()  # (name, text), sorted by name.
    media: tuple[MediaRef, ...] = ()
    language: str | None = None  # BCP 47, as the uploader declared it.
    territories: tuple[str, ...] = ()  # ISO 3166-1 alpha-2 where it is to be released.
