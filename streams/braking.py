"""What the brakes are told while uploads are judged: who acts, and what is held.

    hold = PartitionBrakes(state, partitions)     # Live: counts, upload by upload.
    hold = recorded_holds(decision)               # Replay: as the decision says.
    judged = judge.judge(signals, history, hold)

A provisional word, or one that comes after an upload's first (a sweep, a campaign), is
held as the counts stand then, but not counted: an upload counts once.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from schemas.records import BrakedRule, ContentSignals, RiskDecision, Stage
from streams.brakes import (
    Acting,
    BrakeState,
    Hold,
    Limits,
    brake,
    shared,
    standing,
)
from streams.history import has_event_time
from streams.policy import Findings, Policy, Verdict
from streams.rules.softening import SECOND_APPROVAL, acts

# Says which rules of a verdict must not act by themselves on an upload.
Holding = Callable[[Policy, ContentSignals, Verdict], tuple[Hold, ...]]


def nothing_held(
    policy: Policy, signals: ContentSignals, verdict: Verdict
) -> tuple[Hold, ...]:
    """Hold nothing: each rule does what it says."""
    return ()


def decide_held(
    policy: Policy, signals: ContentSignals, findings: Findings, hold: Holding
) -> tuple[Verdict, tuple[BrakedRule, ...]]:
    """Decide by a policy; return its word and every rule that must wait, with why."""
    verdict = policy.decide(findings)
    reasons = {one.rule_id: one.reason for one in hold(policy, signals, verdict)}
    if reasons:
        verdict = policy.decide(findings, reasons)
    return verdict, braked_rules(verdict, reasons)


def braked_rules(
    verdict: Verdict, reasons: Mapping[str, str]
) -> tuple[BrakedRule, ...]:
    """Return every rule that must wait; `reasons` are those of brakes, by rule."""
    return tuple(
        BrakedRule(held.rule_id, reasons.get(held.rule_id, held.reason), held.action)
        for held in verdict.held
    )


class PartitionBrakes:
    """Counts what rules do in one partition; `state` is what came of it so far."""

    def __init__(self, state: BrakeState | None = None, *, partitions: int = 1) -> None:
        """Go on from a state.

        Args:
            state: after the uploads before; None: there were none.
            partitions: among how many a rule's hourly limit is shared.
        """
        self.state = state or BrakeState()
        self._partitions = partitions

    def __call__(
        self, policy: Policy, signals: ContentSignals, verdict: Verdict
    ) -> tuple[Hold, ...]:
        """Say what is held; count the upload and the rules that act on it."""
        if not policy.brakes:
            return ()
        acting = tuple(
            Acting(rule_id, shared(limits, self._partitions))
            for rule_id, limits in _acting(policy, verdict)
        )
        uploader_id = signals.event.uploader_id
        if signals.stage is not Stage.COMPLETE:
            return standing(self.state, acting, uploader_id)
        time = signals.event.event_time
        if not has_event_time(signals):  # In the future: it would stop the clock.
            time = datetime.fromtimestamp(self.state.hour * 3600, UTC)
        holds, self.state = brake(self.state, acting, uploader_id, time)
        return holds


def recorded_holds(recorded: Callable[[], RiskDecision | None]) -> Holding:
    """Hold what a recorded decision says was held; counts are not made again.

    A second approval is not taken from it, for it follows from policy and history.
    `recorded` is called only where it matters; None holds nothing.
    """

    def hold(
        policy: Policy, signals: ContentSignals, verdict: Verdict
    ) -> tuple[Hold, ...]:
        if not policy.brakes or not _acting(policy, verdict):
            return ()
        found = recorded()
        return tuple(
            Hold(one.rule_id, one.reason)
            for one in (found.brakes if found else ())
            if not one.reason.startswith(SECOND_APPROVAL)
        )

    return hold


def _acting(policy: Policy, verdict: Verdict) -> list[tuple[str, Limits]]:
    """List the rules with a brake that would act by themselves, strictest first."""
    return [
        (fired.rule.id, Limits(found.per_hour, found.per_uploader_per_hour))
        for fired in verdict.fired
        if (found := fired.rule.brake) is not None and acts(fired.effect)
    ]
