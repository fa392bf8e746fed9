"""What became of a rule's word: it decided, agreed, was outranked, or had to wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from streams.rules.conflicts import Candidate, Verdict
from streams.rules.rule import WrittenRule

# decided    the decision names it as its reason, in general or in some territories
# agreed     it asked for just that, and another is named: of a higher value, or earlier
# outranked  another asked for more
# held       it must not act by itself, and asked for review instead
Word = Literal["decided", "agreed", "outranked", "held"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule's place among all that asked for something."""

    word: Word
    by: str = ""  # The clause that decided in its place; of a held one, why.
    markets: tuple[str, ...] = ()  # Where it decided; none: in general.

    def __str__(self) -> str:
        if self.word == "decided":
            return (
                f"decided in {', '.join(self.markets)}" if self.markets else "decided"
            )
        joint = {"agreed": "agreed with", "outranked": "outranked by", "held": "held:"}
        return f"{joint[self.word]} {self.by}"


def standing_of(
    rule: WrittenRule, verdict: Verdict, held: Mapping[str, str]
) -> Standing | None:
    """Return what became of a rule's word; None where it asked for nothing.

    Args:
        rule: of the policy that gave the verdict.
        verdict: the policy's word.
        held: why brakes hold rules, by rule.
    """
    waiting = next((one for one in verdict.held if one.rule_id == rule.id), None)
    if waiting is not None:
        return Standing("held", held.get(rule.id, waiting.reason))
    said = next((one for one in verdict.asked if _is_of(one, rule)), None)
    if said is None:
        return None
    if said.clause == verdict.clause:
        return Standing("decided")
    markets = tuple(m.market for m in verdict.by_market if m.clause == said.clause)
    if markets:
        return Standing("decided", markets=markets)
    if said.effect == verdict.effect:
        return Standing("agreed", verdict.clause)
    return Standing("outranked", _winner(rule, verdict))


def _is_of(candidate: Candidate, rule: WrittenRule) -> bool:
    """Whether a rule said it: fired, or holding the upload for want of a signal."""
    if candidate.rule is not None:
        return candidate.rule.id == rule.id
    return bool(candidate.unknown) and candidate.clause == f"missing.{rule.id}"


def _winner(rule: WrittenRule, verdict: Verdict) -> str:
    """Name what decided where the rule is for."""
    if rule.markets.only is None:
        return verdict.clause
    there = {m.clause for m in verdict.by_market if rule.markets.include(m.market)}
    return ", ".join(sorted(there)) or verdict.clause
