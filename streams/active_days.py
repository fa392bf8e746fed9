"""On which days an uploader was active, at which hours and how much: packed small.

`history` keeps it, scorers read it. A set of days, so the order in which uploads come
makes no difference, and a day is one row however much came on it: a flood of a day
weighs as much as any other day.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

KEPT_DAYS = 90  # Ours: nearly two years of a weekly show, three months of a daily one.
HOURS = 24
_ROW = struct.Struct("<iII")  # Day, hours, uploads.
_MOST = 2**32 - 1
_EPOCH_ORDINAL = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


@dataclass(frozen=True, slots=True)
class ActiveDay:
    """One day on which uploads were learned; UTC, by event time."""

    day: int  # Since 1970-01-01.
    hours: int  # Bit h is set when one came between h and h + 1 o'clock.
    uploads: int


def day_of(time: datetime) -> int:
    """Return the days from 1970-01-01 to an aware time; a Thursday is 0."""
    return time.astimezone(UTC).toordinal() - _EPOCH_ORDINAL


def weekday_of(day: int) -> int:
    """Return 0 for a Monday to 6 for a Sunday."""
    return (day + 3) % 7


def unpack_days(packed: bytes) -> tuple[ActiveDay, ...]:
    """Read the days, oldest first; none from what can't be rows."""
    if len(packed) % _ROW.size:
        return ()
    return tuple(ActiveDay(*row) for row in _ROW.iter_unpack(packed))


def with_upload(packed: bytes, time: datetime) -> bytes:
    """Return the days with one more upload; at most `KEPT_DAYS`, the newest.

    Of the same uploads it is the same bytes in whatever order they come. One from
    before the oldest of `KEPT_DAYS` days leaves them as they are.
    """
    days = {day.day: day for day in unpack_days(packed)}
    day, hour = day_of(time), 1 << time.astimezone(UTC).hour
    known = days.get(day, ActiveDay(day, 0, 0))
    uploads = min(known.uploads + 1, _MOST)
    days[day] = ActiveDay(day, known.hours | hour, uploads)
    newest = sorted(days)[-KEPT_DAYS:]
    rows = (days[number] for number in newest)
    return b"".join(_ROW.pack(row.day, row.hours, row.uploads) for row in rows)
