"""What is usual at this hour: by the day's envelope and by the week's profile.

Times are Unix seconds; days and weeks are UTC's. A series without a rhythm loses
nothing: its envelope is as wide at every hour, its profile as flat.
"""

from streams.anomaly.state import State

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
HALF_HOUR_S = HOUR_S / 2
HALF_HOURS = 48
HOURS_A_WEEK = 168
DAYS = 7  # So that each weekday has been seen.


class DayEnvelope:
    """Lowest and highest value of the last seven days, by half hour of the day.

    A value is compared with its own half hour and those beside it, so that a job
    which starts some minutes early is nothing new.
    """

    __slots__ = ("_at", "_days", "_reach", "_today", "_visit")

    def __init__(self) -> None:
        """Begin knowing nothing."""
        self._days: list[list[list[float]]] = [[] for _ in range(HALF_HOURS)]
        self._at: int | None = None  # The half hour of the newest value …
        self._visit: float | None = None  # … counted from 1970, …
        self._today = [0.0, 0.0]  # … and what it has seen so far.
        self._reach: tuple[int, float, float] | None = None

    def beyond(self, at_s: float, value: float) -> float:
        """Return how far the value lies outside; 0 inside, or where none is known."""
        at = _slot(at_s, DAY_S, HALF_HOURS)
        reach = self._reach
        if reach is None or reach[0] != at:
            reach = self._reach_of(at)
        if value > reach[2]:
            return value - reach[2]
        return max(0.0, reach[1] - value)

    def learn(self, at_s: float, value: float) -> None:
        """Widen the half hour's envelope; one that ends becomes one of its days."""
        visit = at_s // HALF_HOUR_S
        if visit == self._visit:
            low, high = self._today
            self._today = [min(low, value), max(high, value)]
            return
        if self._at is not None:
            self._days[self._at] = [*self._days[self._at], self._today][-DAYS:]
        self._visit, self._at = visit, _slot(at_s, DAY_S, HALF_HOURS)
        self._today = [value, value]
        self._reach = self._reach_of(self._at)

    def _reach_of(self, at: int) -> tuple[int, float, float]:
        sides = (at - 1, at, (at + 1) % HALF_HOURS)
        days = [day for side in sides for day in self._days[side]]
        if not days:
            return at, float("-inf"), float("inf")
        return at, min(day[0] for day in days), max(day[1] for day in days)

    def save(self) -> State:
        """Return the state as JSON values."""
        return {
            "at": self._at,
            "visit": self._visit,
            "today": self._today,
            "days": self._days,
        }

    def load(self, state: State) -> None:
        """Continue from a saved state."""
        self._at, self._visit = state["at"], state["visit"]
        self._today = list(state["today"])
        self._days = [list(days) for days in state["days"]]
        self._reach = None if self._at is None else self._reach_of(self._at)


class WeekProfile:
    """Running mean of each hour of the week.

    An hour's mean is that of its own values until it comes round again; later about a
    third of it is the newest week.
    """

    __slots__ = ("_counts", "_in_hour", "_means", "_per_hour", "_visit")
    _RATE = 0.3  # Of one hour's values together: a memory of three weeks.
    _PACE = 0.1  # How fast the number of values an hour is learned.

    def __init__(self) -> None:
        """Begin knowing nothing."""
        self._means = [0.0] * HOURS_A_WEEK
        self._counts = [0] * HOURS_A_WEEK
        self._visit: float | None = None  # The newest value's hour since 1970 …
        self._in_hour = 0  # … and how many values it has had.
        self._per_hour: float | None = None

    def residual(self, at_s: float, value: float) -> float:
        """Return the value less the hour's mean; 0 where none is known."""
        at = _slot(at_s, DAYS * DAY_S, HOURS_A_WEEK)
        return value - self._means[at] if self._counts[at] else 0.0

    def learn(self, at_s: float, value: float) -> None:
        """Move the hour's mean towards the value."""
        at = _slot(at_s, DAYS * DAY_S, HOURS_A_WEEK)
        visit = at_s // HOUR_S
        if visit != self._visit:
            self._end_hour()
            self._visit, self._in_hour = visit, 0
        self._in_hour += 1
        self._counts[at] += 1
        per_hour = self._per_hour or float(self._in_hour)
        rate = max(self._RATE / max(1.0, per_hour), 1.0 / self._counts[at])
        self._means[at] += rate * (value - self._means[at])

    def _end_hour(self) -> None:
        if self._visit is None:
            return
        if self._per_hour is None:
            self._per_hour = float(self._in_hour)
        else:
            self._per_hour += self._PACE * (self._in_hour - self._per_hour)

    def save(self) -> State:
        """Return the state as JSON values."""
        return {
            "means": self._means,
            "counts": self._counts,
            "visit": self._visit,
            "in_hour": self._in_hour,
            "per_hour": self._per_hour,
        }

    def load(self, state: State) -> None:
        """Continue from a saved state."""
        self._means, self._counts = list(state["means"]), list(state["counts"])
        self._visit, self._in_hour = state["visit"], state["in_hour"]
        self._per_hour = state["per_hour"]


def _slot(at_s: float, period_s: float, slots: int) -> int:
    # The remainder of a tiny negative time is the period itself.
    return min(int(at_s % period_s / period_s * slots), slots - 1)
