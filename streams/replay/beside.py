"""Brakes on what is done beside the stream: the corrections of an applied what-if.

They are counted as `judge` counts, by rule, uploader and hour in each partition, on top
of what it counted: but in memory, and in the hour in which they are made, for that is
when they reach people. Nothing of it goes to brake.state.v1: that topic is the
changelog of the one worker that owns a partition, within its transactions; a second
writer would be overwritten by its next batch, or undo what it counted meanwhile. What
corrections did is known from the corrections themselves, which lie on risk.decision.v1
for whoever counts next.

The price is told: a live worker knows nothing of corrections, so within an hour a rule
may act up to its limit by the stream and up to what was then left of it by corrections.
A worker that lags counts in the hours that it is at, not in this one.
"""

from collections.abc import Callable, Mapping

from schemas.records import RiskDecision
from streams.brakes import (
    Acting,
    BrakeState,
    Hold,
    Limits,
    acted_beside,
    at_hour,
    shared,
    standing,
)
from streams.policy import Policy
from streams.rules.rule import Brake, plainly
from streams.rules.softening import acts


class BesideBrakes:
    """Says which rules of corrections must not act by themselves, and counts the rest.

    A quarantine holds as it does live. Hit rates are not touched: what is corrected was
    picked out, and says nothing of how often a rule hits.
    """

    def __init__(
        self,
        policy: Policy,
        states: Mapping[int, BrakeState],
        *,
        hour: int,
        place: Callable[[str], int],
        partitions: int,
    ) -> None:
        """Begin with what the stream counted.

        Args:
            policy: whose brakes hold.
            states: the brakes of each partition, as they are; none: nothing acted.
            hour: since 1970, in which the corrections are made.
            place: says in which partition an uploader is.
            partitions: among how many a rule's hourly limit is shared.
        """
        self._policy, self._place, self._partitions = policy, place, partitions
        self._states = {at: at_hour(state, hour) for at, state in states.items()}
        self._fresh = BrakeState(hour=hour)

    def hold(self, decision: RiskDecision) -> tuple[Hold, ...]:
        """Say which rules of a correction are held; count those that act."""
        acting = self._acting(decision)
        if not acting:
            return ()
        at, uploader_id = self._place(decision.uploader_id), decision.uploader_id
        state = self._states.get(at, self._fresh)
        holds = standing(state, acting, uploader_id)
        held = {hold.rule_id for hold in holds}
        rest = [rule.rule_id for rule in acting if rule.rule_id not in held]
        self._states[at] = acted_beside(state, rest, uploader_id)
        return holds

    def count(self, decision: RiskDecision) -> None:
        """Count a correction that was made already, within its limits or not."""
        at, uploader_id = self._place(decision.uploader_id), decision.uploader_id
        state = self._states.get(at, self._fresh)
        rules = [rule.rule_id for rule in self._acting(decision)]
        self._states[at] = acted_beside(state, rules, uploader_id)

    def _acting(self, decision: RiskDecision) -> tuple[Acting, ...]:
        """List the rules with a brake that act in a decision, strictest first."""
        brakes = self._policy.brakes
        return tuple(
            Acting(fired.rule_id, self._limits(brakes[fired.rule_id]))
            for fired in decision.rules
            if fired.rule_id in brakes and acts(plainly(fired.action))
        )

    def _limits(self, brake: Brake) -> Limits:
        limits = Limits(brake.per_hour, brake.per_uploader_per_hour)
        return shared(limits, self._partitions)
