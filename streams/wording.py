"""A policy's verdict as the fields of a decision."""

from dataclasses import replace
from typing import Any

from schemas.records import (
    Action,
    BrakedRule,
    FiredRule,
    MarketAction,
    RiskDecision,
)
from streams.policy import InMarket, Verdict


def word_of(verdict: Verdict) -> dict[str, Any]:
    """Return the fields of a decision that follow from the verdict alone.

    But for `missing`, which nothing that is held changes, and `brakes`.
    """
    effect = verdict.effect
    return {
        "action": verdict.action,
        "clause": verdict.clause,
        "braked": verdict.instead_of is not None,
        "automated_decision": not _asks_a_person(verdict),
        "rules": tuple(
            FiredRule(fired.rule.id, fired.rule.clause, fired.effect.action)
            for fired in verdict.fired
        ),
        "by_market": tuple(_in_market(market) for market in verdict.by_market),
        "strength": effect.strength,
        "min_age": effect.min_age,
        "duration_s": effect.duration_s,
        "instead_of": verdict.instead_of,
    }


def reworded(
    decision: RiskDecision, verdict: Verdict, brakes: tuple[BrakedRule, ...]
) -> RiskDecision:
    """Return a decision with another verdict on the same findings."""
    return replace(decision, **word_of(verdict), brakes=brakes)


def _asks_a_person(verdict: Verdict) -> bool:
    actions = {verdict.action, *(m.effect.action for m in verdict.by_market)}
    return Action.REVIEW in actions


def _in_market(found: InMarket) -> MarketAction:
    effect = found.effect
    return MarketAction(
        market=found.market,
        action=effect.action,
        clause=found.clause,
        strength=effect.strength,
        min_age=effect.min_age,
        duration_s=effect.duration_s,
    )
