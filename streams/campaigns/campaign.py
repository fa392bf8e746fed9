"""One campaign: who joined, when, and how surely it is one."""

import bisect
import uuid
from dataclasses import dataclass, field
from typing import Final

from streams.campaigns.bounds import (
    AGAIN,
    BURST_MS,
    FAN_COPIES,
    FLOOD_COPIES,
    HALF_STRENGTH,
)

# Ours, made once; every campaign id hangs on it.
CAMPAIGN_NAMESPACE: Final = uuid.UUID("0b7c7c0e-5f5e-4c55-9d0a-6a1c2a4be7d3")
Key = tuple[str, int]  # Content id and revision.


@dataclass(frozen=True, slots=True)
class Member:
    """An upload of a campaign."""

    uploader_id: str
    at_ms: int


@dataclass(slots=True)
class Campaign:
    """Uploads that are near copies of one another.

    The oldest members give way beyond a bound, and those that left the window.
    """

    campaign_id: str
    number: int  # Of this run only.
    founder: tuple[int, Key]  # The earliest upload and its time; gives the id.
    is_told: bool = False  # Members were told the id, so it stays.
    members: dict[Key, Member] = field(default_factory=dict)
    alike: dict[str, int] = field(default_factory=dict)  # Uploads for each kind.
    value: float = 0.0

    @property
    def uploaders(self) -> int:
        """How many distinct uploaders it has."""
        return len({member.uploader_id for member in self.members.values()})

    @property
    def first_ms(self) -> int:
        """The time of its earliest upload."""
        return min(member.at_ms for member in self.members.values())

    @property
    def last_ms(self) -> int:
        """The time of its latest upload."""
        return max(member.at_ms for member in self.members.values())

    def add(self, key: Key, member: Member) -> None:
        """Take an upload in; its value is to be told anew by `weigh`."""
        self.members[key] = member

    def weigh(self, window_ms: int, most_members: int) -> None:
        """Drop what is too old or too much, and set `value` in [0, 1].

        `1 - 2^(-strength / 3)`. Strength is the uploaders beyond the first, twice those
        that came within one hour, and half as much for each but the first who sent it
        more than once. Further uploads by one of them add nothing, unless they are more
        than a person makes within an hour.
        """
        since = self.last_ms - window_ms
        kept = {k: m for k, m in self.members.items() if m.at_ms >= since}
        for key in list(kept)[: max(0, len(kept) - most_members)]:
            del kept[key]
        self.members = kept
        first: dict[str, int] = {}
        times: dict[str, list[int]] = {}
        for member in kept.values():
            name = member.uploader_id
            first[name] = min(member.at_ms, first.get(name, member.at_ms))
            times.setdefault(name, []).append(member.at_ms)
        burst = _peak(sorted(first.values()))
        flood = max(_peak(sorted(t)) for t in times.values()) - FAN_COPIES
        strength = (len(first) - 1) * (1 + (burst if burst > 1 else 0) / len(first))
        strength += max(0, flood) / FLOOD_COPIES
        again = sum(len(at) > 1 for at in times.values())
        strength += max(0, again - 1) * AGAIN
        self.value = round(1 - 2 ** (-strength / HALF_STRENGTH), 4)


def campaign_id(key: Key) -> str:
    """Return the id of a campaign that an upload founded: UUIDv5."""
    content_id, revision = key
    return str(uuid.uuid5(CAMPAIGN_NAMESPACE, f"{revision}\n{content_id}"))


def _peak(times_ms: list[int]) -> int:
    """Return the most times that lie within one hour."""
    return max(
        at + 1 - bisect.bisect_left(times_ms, end - BURST_MS)
        for at, end in enumerate(times_ms)
    )
