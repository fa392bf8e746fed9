"""What a replay's lines add up to; bounded, however many there are."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from streams.proportion import Proportion
from streams.replay.groups import flips_in_markets, in_order, size_of
from streams.replay.tally import MOST_KEYS, REST, count_bounded
from streams.rules.rule import SEVERITY

BUCKETS: Final = 40  # Of the timeline; as many as a phone's width tells apart.
# Uploaders whose flips are counted; beyond, they are counted as one.
MOST_UPLOADERS: Final = 50_000
ACTIONS: Final = tuple(action.lower() for action in SEVERITY)
RANK: Final = {action: rank for rank, action in enumerate(ACTIONS)}
_COMPARED: Final = ("same", "different")
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """A window of record times in ms since the epoch, cut into equal buckets."""

    start_ms: int
    end_ms: int  # Of the last record.

    @property
    def bucket_ms(self) -> int:
        """How long a bucket is; 1 at least."""
        return (self.end_ms - self.start_ms) // BUCKETS + 1

    def bucket(self, time_ms: int) -> int:
        """Return which bucket a time is in."""
        return (time_ms - self.start_ms) // self.bucket_ms


@dataclass(slots=True)
class RuleUse:
    """How often a clause decided."""

    then: int = 0
    now: int = 0
    lost: int = 0  # Flips of what it had decided.
    won: int = 0  # Flips that it decides now.


@dataclass(slots=True)
class Counts:
    """Counts over the final decisions that could be compared."""

    span: Span
    records: int = 0
    provisional: int = 0  # Left out: a final one took their place.
    results: Counter[str] = field(default_factory=Counter)
    flows: Counter[tuple[str, str]] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    kind_flips: Counter[str] = field(default_factory=Counter)
    markets: Counter[str] = field(default_factory=Counter)
    market_flips: Counter[str] = field(default_factory=Counter)
    only_in_markets: int = 0  # No flips: the same action in general, not everywhere.
    sizes: Counter[str] = field(default_factory=Counter)  # Of uploaders, by uploads.
    size_flips: Counter[str] = field(default_factory=Counter)
    uploader_flips: Counter[str] = field(default_factory=Counter)
    rules: dict[str, RuleUse] = field(default_factory=dict)
    then_by_time: list[Counter[str]] = field(default_factory=list)
    now_by_time: list[Counter[str]] = field(default_factory=list)
    stricter_by_time: Counter[int] = field(default_factory=Counter)
    milder_by_time: Counter[int] = field(default_factory=Counter)
    policies_then: Counter[tuple[str, str]] = field(default_factory=Counter)
    policies_now: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Make a counter for each bucket."""
        self.then_by_time = [Counter() for _ in range(BUCKETS)]
        self.now_by_time = [Counter() for _ in range(BUCKETS)]

    @property
    def compared(self) -> int:
        """How many decisions were compared."""
        return self.flows.total()

    @property
    def flips(self) -> int:
        """How many of them have another action now."""
        return self.stricter + self.milder

    @property
    def stricter(self) -> int:
        """How many flips are to a harder action."""
        return sum(n for (a, b), n in self.flows.items() if RANK[b] > RANK[a])

    @property
    def milder(self) -> int:
        """How many flips are to a milder action."""
        return sum(n for (a, b), n in self.flows.items() if RANK[b] < RANK[a])

    def add(self, line: Line) -> None:
        """Count a line of decisions.jsonl."""
        self.records += 1
        self.results[line["result"]] += 1
        then, now = line["then"], line["now"]
        if line["result"] not in _COMPARED or then is None or now is None:
            return
        if then["provisional"]:
            self.provisional += 1
            return
        self._compare(line, then, now)

    def _compare(self, line: Line, then: Line, now: Line) -> None:
        before, after = known_action(then["action"]), known_action(now["action"])
        bucket = self.span.bucket(line["time_ms"])
        self.flows[before, after] += 1
        self.then_by_time[bucket][before] += 1
        self.now_by_time[bucket][after] += 1
        for said, seen in ((then, self.policies_then), (now, self.policies_now)):
            key = said["policy"], said["policy_sha256"]
            seen[key if key in seen or len(seen) < MOST_KEYS else (REST, "")] += 1
        self._split(line, then, now, flips=before != after)
        used_then, used_now = self._rule(then["clause"]), self._rule(now["clause"])
        used_then.then += 1
        used_now.now += 1
        if before == after:
            return
        used_then.lost += 1
        used_now.won += 1
        self._count_uploader(line["uploader_id"])
        is_stricter = RANK[after] > RANK[before]
        by_time = self.stricter_by_time if is_stricter else self.milder_by_time
        by_time[bucket] += 1

    def _split(self, line: Line, then: Line, now: Line, *, flips: bool) -> None:
        """Count a decision with its kind, its territories and its uploader's size."""
        _count(self.kinds, self.kind_flips, line["kind"], flips)
        _count(self.sizes, self.size_flips, size_of(line["uploads"]), flips)
        elsewhere = False
        for market, flips_there in _markets(line, then, now, flips):
            _count(self.markets, self.market_flips, market, flips_there)
            elsewhere = elsewhere or flips_there
        self.only_in_markets += elsewhere and not flips

    def _rule(self, clause: str) -> RuleUse:
        if clause not in self.rules and len(self.rules) >= MOST_KEYS:
            clause = REST
        return self.rules.setdefault(clause, RuleUse())

    def _count_uploader(self, uploader_id: str) -> None:
        known = self.uploader_flips
        if uploader_id not in known and len(known) >= MOST_UPLOADERS:
            uploader_id = REST
        known[uploader_id] += 1


def breakdowns(counts: Counts) -> dict[str, Any]:
    """Return who flips how often, as JSON: each group's share with its interval."""
    groups = {
        "territories": (counts.market_flips, counts.markets),
        "uploader_sizes": (counts.size_flips, counts.sizes),
        "kinds": (counts.kind_flips, counts.kinds),
    }
    return {
        "only_in_territories": counts.only_in_markets,
        **{
            name: {
                key: Proportion(flips[key], all_of[key]).to_json()
                for key in in_order(flips, all_of)
            }
            for name, (flips, all_of) in groups.items()
        },
    }


def unanswered(summary: Mapping[str, Any]) -> str:
    """Say what was recorded that belongs to no signals, where all else is equal."""
    lost = summary["decisions_without_signals"]
    unreadable = summary["unreadable_decisions"]
    told = [f"{lost:,} recorded decisions have no signals to replay"] if lost else []
    if unreadable:
        told.append(f"{unreadable:,} records can't be read as decisions")
    return " and ".join(told)


def _count(all_of: Counter[str], flipped: Counter[str], key: str, flips: bool) -> None:
    count_bounded(all_of, key)
    if flips:
        count_bounded(flipped, key)


def _markets(
    line: Line, then: Line, now: Line, flips: bool
) -> Iterable[tuple[str, bool]]:
    before, after = then["by_market"], now["by_market"]
    apart = {
        market: before.get(market, then["action"]) != after.get(market, now["action"])
        for market in sorted(before.keys() | after.keys())
    }
    return flips_in_markets(line["territories"], apart, generally=flips)


def known_action(action: str) -> str:
    """Return an action; one that is newer than we are counts as review."""
    return action if action in RANK else "review"


def counted(span: Span, lines: Iterable[Line]) -> Counts:
    """Count lines."""
    counts = Counts(span)
    for line in lines:
        counts.add(line)
    return counts
