"""Scores a burst of uploads after a long silence: an account that woke up."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from schemas.records import Category, ContentSignals, ModelUse, UploaderHistory
from streams.active_days import ActiveDay, day_of, unpack_days
from streams.history import has_event_time
from streams.scorers.base import Score

WEEK_DAYS = 7
# Ours: a summer break or a season's end is no dormancy, and an artist comes back with
# an album.
FREE_SILENCE_DAYS = 60
FREE_PER_WEEK = 12


@dataclass(frozen=True, slots=True)
class Dormancy:
    """How much came within a week, after how long a silence, against the usual.

    Both count from what is free (`FREE_SILENCE_DAYS`, `FREE_PER_WEEK`) or from the
    uploader's own longest silence and busiest week before, where that is more. What is
    over takes three quarters of what is left to 1 for each such amount, and the value
    is the product: 0.7 for two dozen uploads after half a year, 0.99 for fifty after a
    year; 0 for few uploads after any silence, and for many after a short one.

    By event time and day; a late upload is seen from its own day. Blind to who wakes an
    account with a few uploads and floods a week later: that is velocity's. Of 66,684
    uploads of made-up ordinary uploaders, with breaks and albums, none was at 0.85
    (`python -m tests.streams.scorers.ordinary_uploaders 100 5000`, without the label).
    """

    name: str = "dormancy"
    categories: tuple[Category, ...] = ()
    models: tuple[ModelUse, ...] = ()
    languages: frozenset[str] | None = None

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Give one score; 0 where nothing is known from before this week."""
        if not has_event_time(signals):
            return (Score(self.name, 0.0, "the event's time can't be used"),)
        today = day_of(signals.event.event_time)
        days = [day for day in unpack_days(history.active_days) if day.day <= today]
        week = [day for day in days if day.day > today - WEEK_DAYS]
        before = days[: len(days) - len(week)]
        if not before:
            return (Score(self.name, 0.0, "no uploads known from before this week"),)
        return (self._woken(before, week, today),)

    def _woken(
        self, before: Sequence[ActiveDay], week: Sequence[ActiveDay], today: int
    ) -> Score:
        count = 1 + sum(day.uploads for day in week)
        silence = min((day.day for day in week), default=today) - before[-1].day
        free = max(FREE_PER_WEEK, _busiest_week(before))
        usual = max(FREE_SILENCE_DAYS, _longest_silence(before))
        value = _over(silence, usual) * _over(count, free)
        reason = (
            f"{count} uploads in a week after {silence} days of silence; up to {free} "
            f"after {usual} days are nothing unusual here"
        )
        return Score(self.name, value, reason)


def _busiest_week(days: Sequence[ActiveDay]) -> int:
    """Return the most uploads within seven days."""
    busiest, total, first = 0, 0, 0
    for day in days:
        total += day.uploads
        while days[first].day <= day.day - WEEK_DAYS:
            total -= days[first].uploads
            first += 1
        busiest = max(busiest, total)
    return busiest


def _longest_silence(days: Sequence[ActiveDay]) -> int:
    pairs = pairwise(days)
    return max((later.day - earlier.day for earlier, later in pairs), default=0)


def _over(count: int, free: int) -> float:
    return float(1.0 - 4.0 ** -max(0.0, count / free - 1.0))
