"""Conflicts between rules: the strictest wins, then the higher value, then the order.

Action, then age, strength and duration make one word stricter than another. In each
territory only the rules for it count.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from schemas.records import Action, Missing
from streams.rules.rule import Effect, Markets, Rank, WrittenRule

_ALLOWED, _EVERYWHERE = Effect(Action.ALLOW), Markets()


@dataclass(frozen=True, slots=True)
class Consequence:
    """What the policy says to do about a missing signal."""

    missing: Missing
    action: Action


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that holds for an upload, and what it asks for."""

    rule: WrittenRule
    effect: Effect


@dataclass(frozen=True, slots=True)
class InMarket:
    """What is done in one territory, where that is not what is done elsewhere."""

    market: str
    effect: Effect
    clause: str


@dataclass(frozen=True, slots=True)
class Held:
    """An automatic action that must wait for a person: review is asked for instead."""

    rule_id: str  # Of one for something missing: its clause.
    action: Action  # What was asked for.
    reason: str  # `brake`, or second_approval and details.


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word on an upload: a rule's, or the policy's own."""

    effect: Effect
    clause: str
    value: float = -1.0  # What isn't a score comes after what is, at equal action.
    markets: Markets = _EVERYWHERE
    rule: WrittenRule | None = None  # The one that fired.
    unknown: tuple[str, ...] = ()  # The names without which a rule can't be told.

    @property
    def rank(self) -> Rank:
        """What the strictest has most of."""
        return self.effect.rank(self.value)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The policy's word on one upload."""

    action: Action
    clause: str  # What fired: hate.block>=0.92, a rule's id, missing.transcript, …
    consequences: tuple[Consequence, ...] = ()  # One a missing signal, in their order.
    effect: Effect = _ALLOWED  # The action with its degree.
    fired: tuple[Fired, ...] = ()  # Every rule that did, strictest first.
    by_market: tuple[InMarket, ...] = ()  # Sorted by territory.
    held: tuple[Held, ...] = ()
    instead_of: Action | None = None  # `action` if nothing were held; None: the same.
    # All that was asked for, before anything was held.
    asked: tuple[Candidate, ...] = field(default=(), compare=False, repr=False)


def of_unknown(candidates: Iterable[Candidate]) -> Iterator[Consequence]:
    """Name each value that held an upload once, with the rules that needed it."""
    needed: dict[str, list[str]] = defaultdict(list)
    for candidate in candidates:
        for name in candidate.unknown:
            needed[name].append(candidate.clause.removeprefix("missing."))
    for name, rules in needed.items():
        more = f" and {len(rules) - 1} more" if len(rules) > 1 else ""
        reason = f"unknown: {rules[0]}{more} can't be told without it"
        yield Consequence(Missing(name, reason), Action.REVIEW)


def resolve(
    candidates: list[Candidate], territories: tuple[str, ...]
) -> tuple[Candidate, tuple[InMarket, ...]]:
    """Return what is done in general, and the territories where it is something else.

    In general is wherever no rule tells territories apart. Where an upload goes to
    none of those, the strictest of its territories takes that place.
    """
    named = {market for c in candidates for market in c.markets.named}
    if not named:
        return _strictest(candidates), ()
    general = _strictest(c for c in candidates if c.markets.only is None)
    markets = sorted(named & set(territories) if territories else named)
    found = {
        market: _strictest(c for c in candidates if c.markets.include(market))
        for market in markets
    }
    if territories and set(territories) <= named:
        general = _strictest(found.values())
    return general, tuple(
        InMarket(market, strictest.effect, strictest.clause)
        for market, strictest in found.items()
        if strictest.effect != general.effect
    )


def _strictest(candidates: Iterable[Candidate]) -> Candidate:
    return max(candidates, key=lambda candidate: candidate.rank)
