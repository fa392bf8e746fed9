"""Scores how fast an uploader uploads, against its own usual rate."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.records import Category, ContentSignals, ModelUse, UploaderHistory
from streams.history import has_event_time
from streams.scorers.base import Score

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Ours, and checked by the tests: an album of a dozen tracks in an hour is nothing to
# speak of, thirty uploads in two minutes by someone new are.
FREE_PER_HOUR = 10
FREE_PER_DAY = 40
BUSY_DAY = 3  # A busy day has three times the usual uploads.
GRACE_DAYS = 7  # The usual rate needs a week, since weeks have a rhythm.


@dataclass(frozen=True, slots=True)
class Velocity:
    """Counts uploads within an hour and a day of this one, by event time.

    An uploader may always upload `FREE_PER_HOUR` and `FREE_PER_DAY`; who usually
    uploads more may upload more: a usual day's worth in an hour, three days' worth in
    a day. Up to that the value is 0; each further such amount takes three quarters of
    what is left to 1: 0.75 at twice the allowance, 0.94 at three times.

    Works on the set of what is remembered: uploads that come late or out of order give
    the same. Blind past the history's ring: who usually sends more than that a day is
    never too fast.
    """

    name: str = "velocity"
    categories: tuple[Category, ...] = ()
    models: tuple[ModelUse, ...] = ()
    languages: frozenset[str] | None = None

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Give one score; 0 where the event's time can't be used."""
        if not has_event_time(signals):
            return (Score(self.name, 0.0, "the event's time can't be used"),)
        now = signals.event.event_time
        usual_per_day = _usual_per_day(history, now)
        scores = [
            Score(
                self.name,
                _value(count, free),
                f"{count} uploads within {window}, up to {free:.0f} expected; "
                f"usually {usual_per_day:.1f} a day",
            )
            for window, count, free in _windows(history, now, usual_per_day)
        ]
        return (max(scores, key=lambda score: score.value),)  # The hour on a tie.


def _windows(
    history: UploaderHistory, now: datetime, usual_per_day: float
) -> Iterator[tuple[str, int, float]]:
    per_hour = max(FREE_PER_HOUR, usual_per_day)
    yield "an hour", 1 + _near(history, now, HOUR), per_hour
    per_day = max(FREE_PER_DAY, BUSY_DAY * usual_per_day)
    yield "a day", 1 + _near(history, now, DAY), per_day


def _near(history: UploaderHistory, now: datetime, window: timedelta) -> int:
    """Count learned uploads less than `window` away, on either side."""
    return sum(
        entry.learned and abs(entry.event_time - now) < window
        for entry in history.recent
    )


def _usual_per_day(history: UploaderHistory, now: datetime) -> float:
    """Return the rate before the last day, so that a burst is not its own baseline."""
    if history.first_seen is None or history.last_seen is None:
        return 0.0
    earlier = max(0, history.uploads - _near(history, now, DAY))
    latest = max(now, history.last_seen)  # A late event sees the whole span too.
    days = (latest - history.first_seen - DAY) / DAY
    return earlier / max(days, GRACE_DAYS)


def _value(count: int, free: float) -> float:
    over = max(0.0, count / free - 1.0)
    return float(1.0 - 4.0**-over)
