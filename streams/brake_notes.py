"""Tells that a rule is held: once for each rule, reason and hour, not per upload."""

from collections.abc import Callable
from time import monotonic

from schemas.records import RiskDecision
from streams.telemetry import EventLog


class BrakeNotes:
    """Notes `rule_braked` in the log and the metrics; bounded by the policy's rules."""

    def __init__(self, log: EventLog, clock_s: Callable[[], float] = monotonic) -> None:
        self._log = log
        # Ours, not the uploads': one with a time in the future would silence the rest.
        self._clock_s = clock_s
        self._told: dict[tuple[str, str], int] = {}  # The hour in which it was.

    def tell(self, decision: RiskDecision) -> None:
        """Tell of what a committed decision says was held, unless told this hour."""
        if not decision.brakes:
            return
        hour = int(self._clock_s() // 3600)
        for held in decision.brakes:
            named = (held.rule_id, held.reason.partition(":")[0])
            if self._told.get(named) != hour:
                self._told[named] = hour
                self._log.note("rule_braked", rule=named[0], reason=named[1])
