"""Scores uploads at an hour and weekday that are not their uploader's."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.records import Category, ContentSignals, ModelUse, UploaderHistory
from streams.active_days import HOURS, ActiveDay, day_of, unpack_days, weekday_of
from streams.history import has_event_time
from streams.scorers.base import Score

WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Ours: the share that an upload gives to its own hour, to each hour beside it, and to
# the next ones. Nobody is punctual, and summer time moves a habit by an hour.
SPREAD = (0.4, 0.2, 0.1)
PRIOR_DAYS = 2.0  # Ours: as if on so many days any hour had been as likely.


@dataclass(frozen=True, slots=True)
class Habits:
    """How rare this hour and weekday are among the uploader's other active days.

    The value is 1 - p, where p is the share of the uploader's own past, smoothed, that
    lies at hours of the week as rare as this one or rarer: of uploads that keep their
    habits about one in a hundred is over 0.99. Hours and weekdays are taken as
    independent, so one unusual in both stands out most. Each active day counts the
    same, shared among its hours, and the upload's own day doesn't count: a burst is
    never its own habit. Zero until `grace_period` other days are known.

    Works on UTC; who travels, or uploads from several time zones, has wide habits and
    low values. Of made-up ordinary uploaders 0.23 % of a weekly show's uploads, 0.14 %
    of a hobbyist's, 0.09 % of an artist's and none of a nightly poster's or a label's
    were at 0.998 (`python -m tests.streams.scorers.ordinary_uploaders 100 5000`).
    """

    grace_period: int = 10  # Active days; fewer say little about seven weekdays.
    name: str = "habits"
    categories: tuple[Category, ...] = ()
    models: tuple[ModelUse, ...] = ()
    languages: frozenset[str] | None = None

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Give one score; 0 where the event's time can't be used."""
        if not has_event_time(signals):
            return (Score(self.name, 0.0, "the event's time can't be used"),)
        time = signals.event.event_time
        today = day_of(time)
        days = [d for d in unpack_days(history.active_days) if d.day != today]
        if len(days) < self.grace_period:
            reason = f"{len(days)} other active days known, {self.grace_period} needed"
            return (Score(self.name, 0.0, reason),)
        hours, weekdays = _of_hours(days), _of_weekdays(days)
        rarer = _share_as_rare(hours, weekdays, time.hour, weekday_of(today))
        reason = (
            f"{WEEK[weekday_of(today)]} {time.hour:02d} h UTC: {rarer:.1%} of "
            f"{len(days)} active days lie at times so rare; most usual are "
            f"{WEEK[weekdays.index(max(weekdays))]} and "
            f"{hours.index(max(hours)):02d} h"
        )
        return (Score(self.name, max(0.0, 1.0 - rarer), reason),)


def _of_hours(days: Iterable[ActiveDay]) -> list[float]:
    """Return how the past lies over the hours of a day; 24 numbers that sum to 1."""
    plain = [0.0] * HOURS
    for day in days:
        share = 1.0 / max(1, day.hours.bit_count())
        for hour in range(HOURS):
            if day.hours >> hour & 1:
                plain[hour] += share
    smooth = [PRIOR_DAYS / HOURS] * HOURS
    for hour, weight in enumerate(plain):
        for away in range(1 - len(SPREAD), len(SPREAD)):
            smooth[(hour + away) % HOURS] += weight * SPREAD[abs(away)]
    total = sum(smooth)
    return [weight / total for weight in smooth]


def _of_weekdays(days: Iterable[ActiveDay]) -> list[float]:
    """Return how the past lies over the weekdays; seven numbers that sum to 1."""
    weights = [PRIOR_DAYS / 7] * 7
    for day in days:
        weights[weekday_of(day.day)] += 1.0
    total = sum(weights)
    return [weight / total for weight in weights]


def _share_as_rare(
    hours: list[float], weekdays: list[float], hour: int, weekday: int
) -> float:
    # A hair more, so that hours of equal weight count as equally rare.
    least = hours[hour] * weekdays[weekday] * (1.0 + 1e-9)
    cells = (h * w for h in hours for w in weekdays)
    return sum(cell for cell in cells if cell <= least)
