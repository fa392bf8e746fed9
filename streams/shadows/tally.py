"""Counts what candidates would have said: who agrees, who flips, where and by what.

Bounded in memory over any number of records, and independent of their order.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from schemas.records import Action, PolicyRef, ShadowDecision, Stage
from streams.proportion import Proportion
from streams.replay.groups import flips_in_markets, size_of
from streams.replay.tally import NO_CATEGORY, count_bounded

EXAMPLES = 3  # Of each flow from action to action.
MOST_VERSIONS = 100  # Of candidates in one report; a day of changes makes ten.


@dataclass(frozen=True, slots=True)
class Version:
    """What was compared with what; a change of either begins a new comparison."""

    shadow: str
    policy: PolicyRef
    head: str | None
    live_policy: PolicyRef


@dataclass(frozen=True, slots=True, order=True)
class Example:
    """One flip, for a person to look up with `headgate why`; no text of it."""

    rank: bytes  # A hash, so that any order of records gives the same examples.
    content_id: str
    revision: int
    live_clause: str
    clause: str
    category: str
    decision_id: str


@dataclass(slots=True)
class ShadowTally:
    """One version's words beside the live ones; provisional ones are only counted."""

    decisions: int = 0
    agreed: int = 0  # The same action, in every territory too.
    other_degree: int = 0  # Of these: another strength, age or duration.
    only_in_markets: int = 0  # The same action in general, but not everywhere.
    provisional: int = 0  # Left out: a final word follows.
    percents: set[float] = field(default_factory=set)
    first: datetime | None = None  # Of the decisions, by event time.
    last: datetime | None = None
    flows: Counter[tuple[Action, Action]] = field(default_factory=Counter)
    # How many decisions fall to each, and how many of them flip there.
    by_category: Counter[str] = field(default_factory=Counter)
    category_flips: Counter[str] = field(default_factory=Counter)
    by_market: Counter[str] = field(default_factory=Counter)
    market_flips: Counter[str] = field(default_factory=Counter)
    by_size: Counter[str] = field(default_factory=Counter)
    size_flips: Counter[str] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)  # It fired in either.
    rule_flips: Counter[str] = field(default_factory=Counter)
    live_fired: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    examples: dict[tuple[Action, Action], list[Example]] = field(default_factory=dict)

    def add(self, word: ShadowDecision) -> None:
        """Count one word."""
        if word.stage is Stage.SCREENED:
            self.provisional += 1
            return
        self.decisions += 1
        self.percents.add(word.percent)
        self._note_time(word.event_time)
        flips = word.live_action is not word.action
        elsewhere = any(m.live_action is not m.action for m in word.by_market)
        if flips:
            self._note_flow(word)
        elif elsewhere:
            self.only_in_markets += 1
        else:
            self.agreed += 1
            self.other_degree += not word.same_degree
        category = NO_CATEGORY if word.category is None else word.category.lower()
        _split(self.by_category, self.category_flips, category, flips)
        _split(self.by_size, self.size_flips, size_of(word.uploads), flips)
        for market, flips_there in _markets(word):
            _split(self.by_market, self.market_flips, market, flips_there)
        self._note_rules(word, flips)

    @property
    def flips(self) -> int:
        """How many have another action in general."""
        return sum(self.flows.values())

    @property
    def agreement(self) -> Proportion:
        """The share that has the same action everywhere."""
        return Proportion(self.agreed, self.decisions)

    def _note_time(self, when: datetime) -> None:
        self.first = min(self.first or when, when)
        self.last = max(self.last or when, when)

    def _note_flow(self, word: ShadowDecision) -> None:
        flow = (word.live_action, word.action)
        self.flows[flow] += 1
        kept = self.examples.setdefault(flow, [])
        example = _example(word)
        if example not in kept:  # A worker that was killed may say a word twice.
            kept[:] = sorted([*kept, example])[:EXAMPLES]

    def _note_rules(self, word: ShadowDecision, flips: bool) -> None:
        live, now = set(word.live_rules), set(word.rules)
        for rule in live:
            count_bounded(self.live_fired, rule)
        for rule in now:
            count_bounded(self.fired, rule)
        for rule in live | now:
            count_bounded(self.by_rule, rule)
        if flips:
            for rule in live ^ now or {f"{word.live_clause} → {word.clause}"}:
                count_bounded(self.rule_flips, rule)


class ShadowTallies:
    """A tally of each version; of one candidate alone if `only` names it."""

    def __init__(self, only: str | None = None) -> None:
        self._only = only
        self.found: dict[Version, ShadowTally] = {}
        self.left_out = 0  # Words of versions past MOST_VERSIONS.

    def add(self, word: ShadowDecision) -> None:
        """Count one word with its version's."""
        if self._only is not None and word.shadow != self._only:
            return
        version = Version(word.shadow, word.policy, word.head, word.live_policy)
        if version not in self.found and len(self.found) >= MOST_VERSIONS:
            self.left_out += 1
            return
        self.found.setdefault(version, ShadowTally()).add(word)


def _split(all_of: Counter[str], flipped: Counter[str], key: str, flips: bool) -> None:
    count_bounded(all_of, key)
    if flips:
        count_bounded(flipped, key)


def _markets(word: ShadowDecision) -> Iterator[tuple[str, bool]]:
    apart = {m.market: m.live_action is not m.action for m in word.by_market}
    generally = word.live_action is not word.action
    return flips_in_markets(word.territories, apart, generally=generally)


def _example(word: ShadowDecision) -> Example:
    name = f"{word.decision_id}\n{word.content_id}".encode("utf-8", "surrogatepass")
    return Example(
        rank=blake2b(name, digest_size=8).digest(),
        content_id=word.content_id,
        revision=word.revision,
        live_clause=word.live_clause,
        clause=word.clause,
        category=NO_CATEGORY if word.category is None else word.category.lower(),
        decision_id=word.decision_id,
    )
