"""What was found in one upload: all that a policy's rules can speak on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from schemas.records import Category, Kind, Missing, Stage

# The signals whose lack a policy can speak on; `transcript` also covers every
# `transcript:ROLE`.
MISSING_SIGNALS = (
    "transcript",
    "text",
    "language",
    "media",
    "mime",
    "frames",
    "hash",
    "fingerprint",
    "event_time",
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What the scorers found in one upload, and what is known of it; values in [0, 1].

    None stands for what can't be known, which is not the same as nothing found.
    """

    stage: Stage
    categories: Mapping[Category, float] = field(default_factory=dict)
    anomalies: Mapping[str, float] = field(default_factory=dict)
    banks: Mapping[str, float] = field(default_factory=dict)  # Best match in each.
    missing: tuple[Missing, ...] = ()
    labels: Mapping[str, float] | None = field(default_factory=dict)  # The likeliest.
    history: Mapping[str, float] | None = None  # uploads, age_days.
    kind: Kind = Kind.UNKNOWN
    uploader_id: str = ""
    revision: int = 0
    territories: tuple[str, ...] = ()  # Where it is to be released; empty: anywhere.
    language: str | None = None  # As the uploader declared it.
    texts: Mapping[str, str] = field(default_factory=dict)
    heard: tuple[str, ...] | None = ()  # The transcripts' pieces.
    media_s: float | None = 0.0  # Of the longest sound or video.
    event_time: datetime | None = None
    # Learned uploads of the uploader up to now, also where `history` is not known.
    uploads: int = 0

    def lacks(self, *kinds: str) -> bool:
        """Say whether a signal of one of these kinds is missing."""
        if not self.missing:  # Nearly always, and asked by every bank.
            return False
        return any(m.signal.partition(":")[0] in kinds for m in self.missing)
