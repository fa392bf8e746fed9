"""The operator's alarm on all uploads that a worker judges: steps and drift, told.

An edge beside `judge`: it is told of each decision once it was committed, writes log
lines and metrics, and has no way back into a decision.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from schemas.records import (
    CATEGORIES,
    Action,
    Category,
    ContentSignals,
    RiskDecision,
    Stage,
)
from streams.drift import DriftWatch
from streams.history import has_event_time
from streams.platform_rates import PlatformRates
from streams.telemetry import EventLog

# As likely as not: probabilities are calibrated, so the same in every category.
FOUND = 0.5
ACTIONS = tuple(a for a in Action if a not in (Action.ALLOW, Action.UNKNOWN))
TELL_EVERY = 256  # Uploads between two settings of the gauges.
Means = dict[str, float]


class PlatformWatch:
    """Watches the final decisions of one worker; on its event loop, so one at a time.

    A worker sees the uploaders of its partitions, a fair sample of all. What it knows
    is in memory only: after a restart it learns the usual anew before it tells steps.
    Categories that the policy restricts are not followed.
    """

    def __init__(
        self,
        log: EventLog,
        tell: Callable[[Means, Means], None],
        *,
        window_s: float,
        restricted: frozenset[Category],
    ) -> None:
        """`tell` is given what is usual now and then: shares, then inputs' means."""
        self._log = log
        self._tell = tell
        self._window_s = window_s
        self._restricted = restricted
        followed = [c for c in CATEGORIES if c not in restricted]
        names = (f"category_{c.lower()}" for c in followed)
        actions = (f"action_{a.lower()}" for a in ACTIONS)
        self._rates = PlatformRates((*names, *actions), window_s)
        self._drift = DriftWatch()
        self._count = 0

    def observe(self, signals: ContentSignals, decision: RiskDecision) -> None:
        """Take one committed decision; provisional and swept ones say nothing new."""
        if signals.stage is not Stage.COMPLETE or not has_event_time(signals):
            return
        at_s = signals.event.event_time.timestamp()
        hits = self._hits(decision)
        counts, steps = self._rates.observe(decision.uploader_id, at_s, hits)
        for step in steps:
            self._log.note(
                "platform_step",
                series=step.series,
                old_rate=round(step.old_rate, 5),
                new_rate=round(step.new_rate, 5),
                window_s=self._window_s,
                since=datetime.fromtimestamp(step.since_s, UTC).isoformat(),
                uploads=step.uploads,
            )
        if counts:
            self._watch_drift(signals, decision)
        self._count += 1
        if self._count % TELL_EVERY == 0:
            self._tell(self._rates.rates(), self._drift.means())

    def _watch_drift(self, signals: ContentSignals, decision: RiskDecision) -> None:
        for drift in self._drift.observe(signals, decision, self._restricted):
            self._log.note(
                "drift",
                input=drift.name,
                before=round(drift.before, 5),
                after=round(drift.after, 5),
                uploads=drift.uploads,
            )

    def _hits(self, decision: RiskDecision) -> Iterator[str]:
        for score in decision.categories:
            if score.category in self._restricted or score.probability is None:
                continue
            if score.probability >= FOUND:
                yield f"category_{score.category.lower()}"
        if decision.action in ACTIONS:
            yield f"action_{decision.action.lower()}"
