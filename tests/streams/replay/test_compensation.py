"""Facts about taking a rule's decision back, and about promoting a what-if's."""

from dataclasses import replace

import pytest

from schemas.records import Action, FiredRule, MarketAction, Missing, ModelUse
from streams.policy import Policy
from streams.replay.compensation import (
    decided_by,
    is_correction,
    promoted,
    without_rule,
)
from streams.rules.conditions import condition
from streams.rules.rule import Effect, Markets, WrittenRule
from streams.rules.syntax import Compare
from streams.rules.vocabulary import risk_term
from tests.builders import a_decision, a_policy, signals

HATE = FiredRule("hate.block", "1.2", Action.BLOCK)
SPAM = FiredRule("spam", "", Action.LIMIT)
HELD = Missing("text:title", "no_embedding: none; policy says review")
SPOKE = Missing("text:title", "no_embedding: none; policy says allow")


def blocked(*others, **fields):
    """Build a decision that `hate.block` made, with others that fired too."""
    defaults = {
        "action": Action.BLOCK,
        "clause": "hate.block>=0.92",
        "rules": (HATE, *others),
    }
    return a_decision(signals("c1"), **(defaults | fields))


def a_written(rule_id, effect, **fields):
    """Build a rule of a policy; what it asks for matters, not when."""
    term = risk_term("score", "hate")
    return WrittenRule(rule_id, condition(Compare(term, ">=", 0.1)), effect, **fields)


def with_rules(*rules) -> Policy:
    """Build the policy that decided."""
    return a_policy(written=rules)


LIMITING = with_rules(a_written("spam", Effect(Action.LIMIT, strength=0.4)))


@pytest.mark.parametrize(
    ("rule", "won"),
    [("hate.block", True), ("hate.blocker", False), ("hate", False), ("spam", False)],
)
def test_a_rule_won_where_the_clause_quotes_it(rule, won):
    """With its threshold or by its id; not where it only fired."""
    assert decided_by(blocked(SPAM), rule) is won
    assert decided_by(blocked(clause="spam"), "spam")
    assert not decided_by(blocked(clause="missing.spam"), "spam")


def test_a_rule_that_won_in_a_territory_won():
    """Its decision is reversed too, by a person."""
    market = MarketAction("DE", Action.BLOCK, "hate.block>=0.92")
    decision = blocked(clause="default.allow", by_market=(market,), action=Action.ALLOW)

    assert decided_by(decision, "hate.block")
    reversal = without_rule(decision, "hate.block", LIMITING)
    assert (reversal.decision.action, reversal.basis) == (Action.REVIEW, "untold")
    assert reversal.decision.by_market == ()


@pytest.mark.parametrize(
    ("decision", "policy", "action", "basis"),
    [
        (blocked(), None, Action.ALLOW, "record"),
        (blocked(missing=(SPOKE,)), None, Action.ALLOW, "record"),
        (blocked(missing=(HELD,)), None, Action.REVIEW, "untold"),
        (blocked(missing=(HELD,)), LIMITING, Action.REVIEW, "policy"),
        (blocked(SPAM), None, Action.REVIEW, "untold"),
        (blocked(SPAM), LIMITING, Action.LIMIT, "policy"),
        (blocked(SPAM, HATE), a_policy(), Action.REVIEW, "untold"),
        (blocked(rules=()), LIMITING, Action.REVIEW, "untold"),
        (
            blocked(missing=(Missing("x", "not_found"),)),
            LIMITING,
            *([Action.REVIEW, "untold"]),
        ),
    ],
)
def test_what_is_left_without_the_rule(decision, policy, action, basis):
    """Allowed where nothing else spoke; by the policy's file; else a person decides."""
    reversal = without_rule(decision, "hate.block", policy)

    assert (reversal.decision.action, reversal.basis) == (action, basis)
    assert reversal.decision.automated_decision == (action is not Action.REVIEW)


def test_a_reversal_says_what_it_reverses():
    """It supersedes, names the rule, keeps the other rules with their degrees."""
    then = blocked(SPAM)

    now = without_rule(then, "hate.block", LIMITING).decision

    assert now.supersedes == then.decision_id
    assert now.clause == "reversal.hate.block"
    assert (now.rules, now.strength) == ((SPAM,), 0.4)
    assert now.revision == then.revision
    assert now == without_rule(then, "hate.block", LIMITING).decision


def test_what_would_be_the_same_stands():
    """Another rule that blocks, or a review that would become a review."""
    other = FiredRule("other", "", Action.BLOCK)
    policy = with_rules(a_written("other", Effect(Action.BLOCK)))
    held = blocked(SPAM, action=Action.REVIEW)

    assert without_rule(blocked(other), "hate.block", policy) is None
    assert without_rule(held, "hate.block", None) is None


def test_a_rule_for_some_territories_leaves_it_to_a_person():
    """The record does not say where it was released."""
    only = Markets(only=frozenset({"DE"}))
    policy = with_rules(a_written("spam", Effect(Action.LIMIT), markets=only))

    assert without_rule(blocked(SPAM), "hate.block", policy).basis == "untold"


def test_a_rule_that_could_not_be_told_asked_for_review():
    """Its policy's own action did not fire."""
    held = FiredRule("spam", "", Action.REVIEW)

    reversal = without_rule(blocked(held), "hate.block", LIMITING)

    assert (reversal.decision.action, reversal.basis) == (Action.REVIEW, "policy")


def test_a_value_only_the_rule_needed_is_no_longer_missing():
    """It was held for this rule's sake."""
    lack = Missing(
        "hate", "unknown: hate.block can't be told without it; policy says review"
    )

    now = without_rule(blocked(missing=(lack,)), "hate.block", None).decision

    assert (now.action, now.missing) == (Action.ALLOW, ())


def test_corrections_are_known_by_their_ids():
    """Nothing else is one, and each is of one word and one version."""
    then = blocked()
    candidate = replace(a_decision(signals("c1")), decision_id="candidate's")
    headed = replace(candidate, models=(ModelUse("text_risk", "h", "aa" * 32),))
    applied = [promoted(then, now) for now in (candidate, headed)]

    assert all(map(is_correction, applied))
    assert is_correction(without_rule(then, "hate.block", None).decision)
    assert not is_correction(then)
    assert not is_correction(replace(then, supersedes="another"))
    assert applied[0].decision_id != applied[1].decision_id
    assert applied[0].supersedes == then.decision_id
