"""What two policies differ in: their rules, and what they say to the same findings."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.records import Action
from streams.policies.values import shown_duration
from streams.policy import Policy, Verdict
from streams.rules.findings import Findings
from streams.rules.rule import Brake, Effect, Markets, Validity, WrittenRule

_KEPT_FLIPS = 10_000  # As many are named; all are counted.


@dataclass(frozen=True, slots=True)
class Change:
    """A rule that is in both policies and says something else, key by key."""

    rule_id: str
    keys: tuple[tuple[str, str, str], ...]  # The key, before and after.


@dataclass(frozen=True, slots=True)
class Differences:
    """What the second policy has otherwise than the first."""

    added: tuple[WrittenRule, ...]
    removed: tuple[WrittenRule, ...]
    changed: tuple[Change, ...]
    settings: tuple[tuple[str, str, str], ...]  # missing.text, provisional, …

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self.added or self.removed or self.changed or self.settings)


def compare(before: Policy, after: Policy) -> Differences:
    """Compare two policies rule by rule."""
    old = {rule.id: rule for rule in before.all_rules}
    new = {rule.id: rule for rule in after.all_rules}
    changes = [Change(i, tuple(_keys(old[i], new[i]))) for i in old if i in new]
    return Differences(
        added=tuple(new[i] for i in new if i not in old),
        removed=tuple(old[i] for i in old if i not in new),
        changed=tuple(change for change in changes if change.keys),
        settings=tuple(_changed(_settings(before), _settings(after))),
    )


@dataclass(frozen=True, slots=True)
class Flip:
    """An upload that the two policies decide differently."""

    content_id: str
    before: Verdict
    after: Verdict


@dataclass(slots=True)
class Flips:
    """How decisions differ over many uploads."""

    decided: int = 0
    flipped: int = 0
    flows: Counter[tuple[Action, Action]] = field(default_factory=Counter)
    named: list[Flip] = field(default_factory=list)  # The first of them.

    def add(
        self, content_id: str, findings: Findings, before: Policy, after: Policy
    ) -> None:
        """Decide on an upload by both policies."""
        old, new = before.decide(findings), after.decide(findings)
        self.decided += 1
        if (old.effect, old.by_market) == (new.effect, new.by_market):
            return
        self.flipped += 1
        self.flows[old.action, new.action] += 1
        if len(self.named) < _KEPT_FLIPS:
            self.named.append(Flip(content_id, old, new))


def shown_effect(effect: Effect) -> str:
    """Write an action with its degree: `limit 50 % for 30d`."""
    words = [effect.action.lower()]
    if effect.action is Action.LIMIT and effect.strength < 1.0:
        words.append(f"{effect.strength:.0%}")
    if effect.min_age is not None:
        words.append(f"from {effect.min_age}")
    if effect.duration_s is not None:
        words.append(f"for {shown_duration(effect.duration_s)}")
    return " ".join(words)


def _keys(old: WrittenRule, new: WrittenRule) -> Iterator[tuple[str, str, str]]:
    yield from _changed(_said(old), _said(new))


def _said(rule: WrittenRule) -> dict[str, str]:
    brake = rule.brake or Brake()
    return {
        "when": str(rule.condition),
        "action": shown_effect(rule.effect),
        "markets": shown_markets(rule.markets),
        "valid": _valid(rule.valid),
        "if_missing": rule.if_missing,
        "clause": rule.clause,
        "owner": rule.owner,
        "brake.per_hour": _limit(brake.per_hour),
        "brake.per_uploader_per_hour": _limit(brake.per_uploader_per_hour),
    }


def _settings(policy: Policy) -> dict[str, str]:
    approval = policy.second_approval
    missing = {f"missing.{name}": action.lower() for name, action in policy.missing}
    return {
        **missing,
        "missing.default": policy.missing_default.lower(),
        "provisional": policy.provisional.lower(),
        "second_approval.uploaders": ", ".join(sorted(approval.uploaders)),
        "second_approval.uploads_over": _limit(approval.uploads_over),
        "restricted": ", ".join(sorted(c.lower() for c in policy.restricted)),
    }


def _changed(
    old: dict[str, str], new: dict[str, str]
) -> Iterator[tuple[str, str, str]]:
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key, "not said"), new.get(key, "not said")
        if before != after:
            yield key, before, after


def _limit(most: int | None) -> str:
    return "none" if most is None else str(most)


def shown_markets(markets: Markets) -> str:
    """Write which territories a rule is for."""
    named = ", ".join(sorted(markets.named))
    if markets.everywhere:
        return "everywhere"
    return named if markets.only is not None else f"all but {named}"


def _valid(valid: Validity) -> str:
    since = valid.since.isoformat() if valid.since else "ever"
    until = valid.until.isoformat() if valid.until else "further notice"
    return f"{since} until {until}"
