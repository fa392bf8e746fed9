"""A what-if's decision with some of its rules held: what a judge would have said then.

The flip on disk keeps all that was asked for on the upload, so that the word can be
weighed anew, without scoring again, by the policy's own code.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.records import Action, RiskDecision
from streams.brakes import Hold
from streams.braking import braked_rules
from streams.policy import Policy
from streams.rules.conflicts import Candidate
from streams.rules.rule import WrittenRule, plainly
from streams.rules.softening import SECOND_APPROVAL
from streams.rules.weighing import weigh
from streams.wording import reworded


def asked_to_json(asked: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Write what was asked for; `asked_from_json` reads it, by the same policy."""
    return [
        {
            "clause": one.clause,
            "rule": one.rule.id if one.rule else None,
            "action": one.effect.action.lower(),
            "value": one.value,
            "unknown": list(one.unknown),
        }
        for one in asked
    ]


def asked_from_json(
    asked: Sequence[Mapping[str, Any]], policy: Policy
) -> tuple[Candidate, ...]:
    """Read what was asked for.

    Raises:
        KeyError: a rule is not the policy's; it is another policy.
    """
    rules = {rule.id: rule for rule in policy.all_rules}
    return tuple(_candidate(one, rules) for one in asked)


def held_back(
    decision: RiskDecision,
    asked: tuple[Candidate, ...],
    territories: tuple[str, ...],
    holds: Sequence[Hold],
) -> RiskDecision:
    """Return a decision as it is with rules held; each held one is named in it.

    Args:
        decision: what the policy says where nothing is held.
        asked: all that was asked for.
        territories: where the upload is to be released.
        holds: the rules that must not act by themselves, and why.
    """
    reasons = {hold.rule_id: hold.reason for hold in holds}
    approvals = (
        braked.reason
        for braked in decision.brakes
        if braked.reason.startswith(SECOND_APPROVAL)
    )
    verdict = weigh(asked, territories, held=reasons, approval=next(approvals, None))
    return reworded(decision, verdict, braked_rules(verdict, reasons))


def _candidate(
    written: Mapping[str, Any], rules: Mapping[str, WrittenRule]
) -> Candidate:
    clause, unknown = written["clause"], tuple(written["unknown"])
    effect = plainly(Action(written["action"].upper()))
    if written["rule"] is None and not unknown:  # The policy's own word.
        return Candidate(effect, clause, written["value"])
    # One that can't be told fires with review, or holds the upload and has not fired.
    has_fired = written["rule"] is not None
    rule = rules[written["rule"] if has_fired else clause.removeprefix("missing.")]
    return Candidate(
        effect=effect if unknown else rule.effect,
        clause=clause,
        value=written["value"],
        markets=rule.markets,
        rule=rule if has_fired else None,
        unknown=unknown,
    )
