"""Decisions that put right what other decisions did; core, no I/O.

A compensating decision supersedes the one it puts right and has an id that follows from
it, so that the same correction made twice is one.
"""

import uuid
from dataclasses import dataclass, replace
from typing import Final, Literal

from schemas.records import Action, FiredRule, Missing, RiskDecision
from streams.policy import Policy
from streams.replay.versions import version_of
from streams.rules.conflicts import Candidate, resolve
from streams.rules.rule import Effect, WrittenRule, plainly
from streams.rules.softening import SECOND_APPROVAL

# Ours, made once; what a correction is called must never be what a judge would call it.
NAMESPACE: Final = uuid.UUID("3c8f3b43-8a2e-4be5-9d61-0a5f4c7f9b1e")
REVERSAL: Final = "reversal."  # So begins the clause of a reversed decision.
_SAYS: Final = "policy says "  # As `streams.judge` ends a missing signal's reason.

# policy   by the other rules that fired, as the policy's file has them
# record   nothing else spoke, by the record itself
# untold   the record can't tell: a person decides
Basis = Literal["policy", "record", "untold"]


@dataclass(frozen=True, slots=True)
class Reversal:
    """What a decision would have been without a rule, and how that is known."""

    decision: RiskDecision
    basis: Basis


def decided_by(decision: RiskDecision, rule_id: str) -> bool:
    """Say whether a rule won, in general or in a territory.

    A line of thresholds is quoted with its threshold: `hate.block>=0.92`.
    """
    clauses = (decision.clause, *(market.clause for market in decision.by_market))
    return any(
        clause == rule_id or clause.startswith(f"{rule_id}>=") for clause in clauses
    )


def without_rule(
    decision: RiskDecision, rule_id: str, policy: Policy | None
) -> Reversal | None:
    """Return the decision that takes the place of one in which a rule won.

    Records have the actions of the rules that fired, not their degrees or territories:
    only the policy's file tells those. Where it isn't here, or where territories play a
    part, whatever else spoke makes it a person's to decide.

    Args:
        decision: what the rule decided.
        rule_id: the rule.
        policy: the one that decided, by its hash; None where it isn't here.

    Returns:
        None where nothing would be done differently.
    """
    rest = tuple(rule for rule in decision.rules if rule.rule_id != rule_id)
    missing = tuple(m for m in decision.missing if not _is_for(m, rule_id))
    effect, basis = _effect(decision, rest, missing, policy)
    if effect == _effect_of(decision) and not decision.by_market:
        return None
    now = replace(
        decision,
        decision_id=_corrected_id("reverse", decision.decision_id, rule_id),
        supersedes=decision.decision_id,
        action=effect.action,
        clause=f"{REVERSAL}{rule_id}",
        missing=missing,
        automated_decision=effect.action is not Action.REVIEW,
        rules=rest,
        by_market=(),
        strength=effect.strength,
        min_age=effect.min_age,
        duration_s=effect.duration_s,
    )
    return Reversal(now, basis)


def promoted(then: RiskDecision, now: RiskDecision) -> RiskDecision:
    """Return what a what-if decided as the word that supersedes what was decided."""
    superseding = replace(now, supersedes=then.decision_id)
    return replace(superseding, decision_id=_promoted_id(superseding))


def is_correction(decision: RiskDecision) -> bool:
    """Say whether a decision is one of ours: it answers no signals of its own."""
    if decision.supersedes is None:
        return False
    rule_id = decision.clause.removeprefix(REVERSAL)
    reversed_id = _corrected_id("reverse", decision.supersedes, rule_id)
    return decision.decision_id in (reversed_id, _promoted_id(decision))


def _effect(
    decision: RiskDecision,
    rest: tuple[FiredRule, ...],
    missing: tuple[Missing, ...],
    policy: Policy | None,
) -> tuple[Effect, Basis]:
    untold: tuple[Effect, Basis] = (Effect(Action.REVIEW), "untold")
    held = [_said(one) for one in missing]
    if not decision.rules or decision.by_market or None in held:
        return untold  # Recorded before rules were, or of more than one word.
    asked = [plainly(action) for action in held if action]
    if not rest and all(effect.action is Action.ALLOW for effect in asked):
        return Effect(Action.ALLOW), "record"
    written = _written(rest, policy)
    if written is None:
        return untold
    candidates = [Candidate(effect, "") for effect in (plainly(Action.ALLOW), *asked)]
    for fired, rule in zip(rest, written, strict=True):
        is_own = rule.effect.action is fired.action  # Else review: it can't be told.
        effect = rule.effect if is_own else Effect(fired.action)
        candidates.append(Candidate(effect, rule.id))
    strictest, _ = resolve(candidates, ())
    return strictest.effect, "policy"


def _written(
    rest: tuple[FiredRule, ...], policy: Policy | None
) -> list[WrittenRule] | None:
    """Find fired rules in their policy; None where that does not tell their effect."""
    if policy is None:
        return None
    known = {rule.id: rule for rule in policy.all_rules}
    found = [known.get(fired.rule_id) for fired in rest]
    rules = [rule for rule in found if rule is not None and rule.markets.everywhere]
    return rules if len(rules) == len(rest) else None


def _effect_of(decision: RiskDecision) -> Effect:
    return Effect(
        decision.action, decision.strength, decision.min_age, decision.duration_s
    )


def _is_for(missing: Missing, rule_id: str) -> bool:
    """Whether a value is named as missing only because that rule needed it."""
    return missing.reason.startswith(f"unknown: {rule_id} can't be told")


def _said(missing: Missing) -> Action | None:
    """Return what the policy did about a missing signal; None: can't be read."""
    _, found, word = missing.reason.rpartition(_SAYS)
    try:
        return Action(word.upper()) if found else None
    except ValueError:
        return None


def _promoted_id(decision: RiskDecision) -> str:
    """Return a promoted decision's id: by what it replaces and what made it.

    And by what a brake held of it: with something held it is another word.
    """
    made_by = version_of(decision)
    by = f"{made_by.policy}\n{made_by.head}"
    for braked in decision.brakes:
        if not braked.reason.startswith(SECOND_APPROVAL):
            by += f"\n{braked.rule_id}"
    return _corrected_id("apply", decision.supersedes or "", by)


def _corrected_id(how: str, decision_id: str, by: str) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{how}\n{decision_id}\n{by}"))
