"""Automatic actions that must wait for a person: they ask for review instead."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from schemas.records import Action
from streams.rules.conflicts import Candidate, Held
from streams.rules.findings import Findings
from streams.rules.rule import SEVERITY, Effect

# What is said of a rule that a brake holds; who holds it knows more.
BRAKE = "brake"
SECOND_APPROVAL = "second_approval"
# How the clauses begin that decisions then name; the rule's id or clause follows.
CLAUSES = (f"{BRAKE}.", f"{SECOND_APPROVAL}.")


@dataclass(frozen=True, slots=True)
class SecondApproval:
    """Uploaders on whom nothing harder than a label is done without a person."""

    uploaders: frozenset[str] = frozenset()
    uploads_over: int | None = None  # And all with more learned uploads than this.

    def reason(self, findings: Findings) -> str | None:
        """Say why an upload's uploader is one of them; None if not."""
        if findings.uploader_id in self.uploaders:
            return f"{SECOND_APPROVAL}: the policy names the uploader"
        most = self.uploads_over
        if most is not None and findings.uploads > most:
            return f"{SECOND_APPROVAL}: more than {most} uploads"
        return None


def acts(effect: Effect) -> bool:
    """Say whether something is done without a person."""
    return effect.action not in (Action.ALLOW, Action.REVIEW)


def soften(
    candidates: Iterable[Candidate], rules: Collection[str], approval: str | None
) -> tuple[list[Candidate], tuple[Held, ...]]:
    """Return the candidates with review in place of what must wait, and what that is.

    Args:
        candidates: what all rules and the policy itself ask for.
        rules: the ids of those that a brake holds.
        approval: why the uploader needs a second approval; None: doesn't.
    """
    softened, held = [], []
    for one in candidates:
        reason = _reason(one, rules, approval)
        if reason is None:
            softened.append(one)
            continue
        named = one.rule.id if one.rule else one.clause
        clause = f"{reason.partition(':')[0]}.{named}"
        softened.append(replace(one, effect=Effect(Action.REVIEW), clause=clause))
        held.append(Held(named, one.effect.action, reason))
    return softened, tuple(held)


def _reason(one: Candidate, rules: Collection[str], approval: str | None) -> str | None:
    if not acts(one.effect):
        return None
    if approval and SEVERITY[one.effect.action] > SEVERITY[Action.LABEL]:
        return approval
    return BRAKE if one.rule and one.rule.id in rules else None
