"""A rule: a condition, what is done where it holds, and for whom."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import inf

from schemas.records import Action
from streams.rules.conditions import Condition, Truth
from streams.rules.vocabulary import Facts
from streams.yaml_tree import Place

# From mild to hard: the order of the enum is the severity.
SEVERITY: dict[Action, int] = {
    action: rank for rank, action in enumerate(Action) if action is not Action.UNKNOWN
}
ADULT_AGE = 18  # Majority nearly everywhere; what `age_restrict` alone means.
Rank = tuple[int, int, float, float, float]


class IfMissing(StrEnum):
    """What a rule says where it can't be told whether it holds.

    `hold` holds the upload for review for want of a signal; the rule did not fire.
    `review` fires the rule, with review in its action's place. `skip` passes over it.
    """

    HOLD = "hold"
    REVIEW = "review"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Effect:
    """An action and its degree.

    `strength` in (0, 1] is the share of promotion that `limit` takes away; `min_age`
    in years is whom `age_restrict` releases to; `duration_s` is None where the action
    stays until someone decides otherwise.
    """

    action: Action
    strength: float = 1.0
    min_age: int | None = None
    duration_s: int | None = None

    def rank(self, value: float) -> Rank:
        """Return what the strictest has most of; at equal strictness the value tells.

        Action, then age, strength and duration.
        """
        lasting = inf if self.duration_s is None else float(self.duration_s)
        age = self.min_age or 0
        return SEVERITY[self.action], age, self.strength, lasting, value


def plainly(action: Action) -> Effect:
    """Return an action in the degree that it has where nothing is said of one."""
    min_age = ADULT_AGE if action is Action.AGE_RESTRICT else None
    return Effect(action, min_age=min_age)


@dataclass(frozen=True, slots=True)
class Markets:
    """The territories that a rule is for: those among `only`, but none of `but`."""

    only: frozenset[str] | None = None  # None: all.
    but: frozenset[str] = frozenset()

    @property
    def everywhere(self) -> bool:
        """Whether it is for all of them."""
        return self.only is None and not self.but

    @property
    def named(self) -> frozenset[str]:
        """The territories that it tells apart from the rest."""
        return self.but if self.only is None else self.only

    def include(self, market: str) -> bool:
        """Say whether it is for a territory."""
        return market not in self.but and (self.only is None or market in self.only)

    def reach(self, territories: tuple[str, ...]) -> bool:
        """Say whether it is for any of them; without any, a release is everywhere."""
        return not territories or any(self.include(market) for market in territories)

    def cover(self, other: "Markets") -> bool:
        """Say whether it is for all that the other is for."""
        if self.only is None:
            return (
                not self.but - other.but
                if other.only is None
                else not (self.but & other.only)
            )
        return other.only is not None and other.only <= self.only


@dataclass(frozen=True, slots=True)
class Brake:
    """The most times that a rule may act on its own; further ones are for review.

    A rule with one is also held where its hit rate jumps.
    """

    per_hour: int | None = None
    per_uploader_per_hour: int | None = None


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until before when a rule is in force, by the upload's own time."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, time: datetime | None) -> Truth:
        """Say whether a time is within; unknown for an unknown one."""
        if self.since is None and self.until is None:
            return True
        if time is None:
            return None
        return (self.since is None or self.since <= time) and (
            self.until is None or time < self.until
        )

    def cover(self, other: "Validity") -> bool:
        """Say whether it is in force whenever the other is."""
        begins = self.since is None or (
            other.since is not None and self.since <= other.since
        )
        ends = self.until is None or (
            other.until is not None and other.until <= self.until
        )
        return begins and ends


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule as a policy's `rules` say it; lines of thresholds are made into these."""

    id: str
    condition: Condition
    effect: Effect
    owner: str = ""
    clause: str = ""  # Of the published platform rules that it stands for.
    markets: Markets = Markets()
    valid: Validity = Validity()
    if_missing: IfMissing = IfMissing.HOLD
    brake: Brake | None = None
    quoted: str = ""  # How a decision names it as its reason; empty: by its id.
    place: Place | None = field(default=None, compare=False)  # In its file.

    @property
    def reason(self) -> str:
        """How a decision names it as its reason."""
        return self.quoted or self.id

    def truth(self, facts: Facts, time: datetime | None) -> Truth:
        """Say whether it holds for an upload, wherever its markets are."""
        in_force = self.valid.holds(time)
        if in_force is False:
            return False
        found = self.condition.holds(facts)
        return found if found is False or in_force else None
