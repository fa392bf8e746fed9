"""What is remembered of an uploader."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RecentUpload:
    """One of an uploader's last uploads, as its history remembers it."""

    content_id: str
    revision: int
    event_time: datetime
    signature: bytes  # 32 bytes: SimHash of the mean embedding; empty if none.
    decision: bytes  # The decision as it was sent; empty once the upload is older.
    learned: bool = True  # False (blocked, provisional, no usable time): not scored on.


@dataclass(frozen=True, slots=True)
class UploaderHistory:
    """What is remembered of an uploader; bounded, and the changelog's record."""

    uploader_id: str
    uploads: int = 0
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    centroid: bytes = b""  # float32 little-endian: running mean of embeddings.
    centroid_uploads: int = 0
    distance_mean: float = 0.0  # Of an upload's cosine distance from the centroid …
    distance_m2: float = 0.0  # … and its sum of squared deviations (Welford).
    recent: tuple[RecentUpload, ...] = ()  # Oldest first.
    judged: bytes = (
        b""  # 8-byte digests of (content_id, revision, stage), oldest first.
    )
    active_days: bytes = b""  # 12-byte rows of `streams.active_days`, oldest first.
    patterns: bytes = b""  # 19-byte rows of `streams.upload_pattern`, oldest first.
