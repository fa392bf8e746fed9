"""How often a rule acted by itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrakeDay:
    """One day of a `BrakeCount`."""

    day: int  # Days since 1970, of event times.
    uploads: int  # Of a rule: on that day. Of the partition: before that day.
    hits: int = 0


@dataclass(frozen=True, slots=True)
class BrakeUploader:
    """How often a rule acted on one uploader in the hour."""

    uploader_id: str
    acted: int


@dataclass(frozen=True, slots=True)
class BrakeCount:
    """What the brakes count in one partition: of a rule, or of all uploads."""

    rule_id: str  # Empty: of all uploads of the partition.
    hour: int  # Since 1970, of event times.
    uploads: int = 0  # Of a rule: up to its last hit.
    days: tuple[BrakeDay, ...] = ()  # Oldest first.
    acted: int = 0  # In the hour.
    by_uploader: tuple[BrakeUploader, ...] = ()
    evidence: tuple[float, ...] = ()  # As in `streams.hit_rate`.
    held_until_hour: int | None = None
