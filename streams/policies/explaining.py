"""Why each rule of a policy fired for an upload, or didn't, and what came of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any as AnyValue
from typing import Literal

from schemas.records import Category
from streams.policies.differences import shown_effect, shown_markets
from streams.policies.standings import Standing, standing_of
from streams.policy import Policy, Verdict
from streams.rules.conditions import Truth, compiled
from streams.rules.findings import Findings
from streams.rules.rule import WrittenRule
from streams.rules.syntax import All, Any, Not, Tree, terms_of
from streams.rules.vocabulary import Facts, Value

Outcome = Literal["fired", "unknown", "no", "not in force", "elsewhere"]
ORDER: tuple[Outcome, ...] = ("fired", "unknown", "no", "not in force", "elsewhere")
HIDDEN = "not shown"  # In the place of a text that may be about children.
_SHOWN_CHARS = 60  # Of a text; a transcript would fill the screen.
_JSON_CHARS = 200  # Of a text for machines; the event has all of it.


@dataclass(frozen=True, slots=True)
class Predicate:
    """A part of a condition, the values that it read, and whether it held."""

    text: str
    values: tuple[tuple[str, Value], ...]
    truth: Truth
    settled: bool  # Whether the condition came out as it did because of it.
    denied: bool = False  # It stands under a `not`.

    def __str__(self) -> str:
        found = " and ".join(_value(value) for _, value in self.values)
        return f"{'not ' if self.denied else ''}{self.text} (found {found})"


@dataclass(frozen=True, slots=True)
class Trace:
    """A rule, what became of it, and its predicates."""

    rule: WrittenRule
    outcome: Outcome
    predicates: tuple[Predicate, ...]
    unknown: tuple[str, ...] = ()  # The values without which it can't be told.
    standing: Standing | None = None  # None where it asked for nothing.

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories whose probability was high enough for the rule."""
        held = (p for p in self.predicates if p.truth and len(p.values) == 1)
        rising = (p for p in held if " <" not in p.text)
        names = (name for p in rising for name, _ in p.values)
        return tuple(n.removeprefix("score.") for n in names if n.startswith("score."))

    @property
    def why(self) -> str:
        """What settled it, with the values that were found."""
        if self.outcome == "not in force":
            return _in_force(self.rule)
        if self.outcome == "elsewhere":
            only = "" if self.rule.markets.only is None else " only"
            return f"for {shown_markets(self.rule.markets)}{only}"
        shown = [str(p) for p in self.predicates if p.settled]
        if self.unknown == ("event_time",):
            shown.insert(0, f"in force {_in_force(self.rule)} (found no event_time)")
        return "; ".join(shown) or "always"

    @property
    def came_of_it(self) -> str:
        """What came of its word; of one that can't be told, what it says then."""
        words = [] if self.standing is None else [str(self.standing)]
        if self.outcome == "unknown":
            words.insert(0, f"if missing: {self.rule.if_missing}")
        return ", ".join(words)

    def to_json(self) -> dict[str, AnyValue]:
        """Write it for machines."""
        rule = self.rule
        return {
            "id": rule.id,
            "clause": rule.clause,
            "owner": rule.owner,
            "action": rule.effect.action.lower(),
            "asks_for": shown_effect(rule.effect),
            "when": str(rule.condition),
            "outcome": self.outcome,
            "why": self.why,
            "if_missing": rule.if_missing,
            "unknown": list(self.unknown),
            "standing": None if self.standing is None else self.standing.word,
            "came_of_it": self.came_of_it,
            "predicates": [
                {
                    "text": p.text,
                    "values": {name: _cut(value) for name, value in p.values},
                    "holds": p.truth,
                    "settled": p.settled,
                }
                for p in self.predicates
            ],
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """The policy's word on an upload, and every rule's part in it."""

    verdict: Verdict
    traces: tuple[Trace, ...]


def explain(
    policy: Policy,
    findings: Findings,
    held: Mapping[str, str] | None = None,
    restricted: frozenset[Category] = frozenset(),
) -> Explanation:
    """Decide, and say of every rule why it fired or not: fired, unknown, then the rest.

    It looks at every rule where `Policy.decide` looks at the few that may hold.

    Args:
        policy: decides.
        findings: in the upload.
        held: of rules that a brake holds, by id, why.
        restricted: categories that another policy, told of beside, restricts.
    """
    held = held or {}
    facts = Facts(findings, policy.terms)
    verdict = policy.decide(findings, held)
    # What may be about children is not shown.
    secret = policy.restricted | restricted
    shy = any(findings.categories.get(c, 0.0) > 0.0 for c in secret)
    traces = [_trace(r, facts, findings, shy, verdict, held) for r in policy.all_rules]
    traces.sort(key=lambda trace: ORDER.index(trace.outcome))
    return Explanation(verdict, tuple(traces))


def _trace(
    rule: WrittenRule,
    facts: Facts,
    findings: Findings,
    shy: bool,
    verdict: Verdict,
    held: Mapping[str, str],
) -> Trace:
    outcome = _outcome(rule, facts, findings)
    unknown: tuple[str, ...] = ()
    if outcome == "unknown":
        unknown = rule.condition.unknown(facts) or ("event_time",)
    predicates = tuple(_predicates(rule.condition.tree, facts, shy))
    return Trace(rule, outcome, predicates, unknown, standing_of(rule, verdict, held))


def _predicates(
    tree: Tree, facts: Facts, shy: bool, settled: bool = True, denied: bool = False
) -> Iterator[Predicate]:
    """Yield a condition's predicates, as written from left to right.

    A part settles what it is part of where both have the same truth: of `and` that is
    false the false ones, of `or` that is true the true ones, and all of the others.
    """
    if isinstance(tree, Not):
        yield from _predicates(tree.inner, facts, shy, settled, not denied)
        return
    truth = compiled(tree)(facts)
    if isinstance(tree, All | Any):
        for part in tree.parts:
            settles = settled and compiled(part)(facts) is truth
            yield from _predicates(part, facts, shy, settles, denied)
        return
    values = tuple((term.name, _told(term.name, facts, shy)) for term in terms_of(tree))
    yield Predicate(str(tree), values, truth, settled, denied)


def _told(name: str, facts: Facts, shy: bool) -> Value:
    is_upload_text = name == "transcript" or name.startswith("text.")
    return HIDDEN if shy and is_upload_text else facts[name]


def _outcome(rule: WrittenRule, facts: Facts, findings: Findings) -> Outcome:
    time = None if findings.lacks("event_time") else findings.event_time
    if rule.valid.holds(time) is False:
        return "not in force"
    if not rule.markets.reach(findings.territories):
        return "elsewhere"
    truth = rule.truth(facts, time)
    return "unknown" if truth is None else "fired" if truth else "no"


def _value(value: Value) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    cut = value if len(value) <= _SHOWN_CHARS else value[:_SHOWN_CHARS] + "…"
    return repr(cut)


def _cut(value: Value) -> Value:
    if isinstance(value, str) and len(value) > _JSON_CHARS:
        return value[:_JSON_CHARS] + "…"
    return value


def _in_force(rule: WrittenRule) -> str:
    since, until = rule.valid.since, rule.valid.until
    parts = [f"from {since.isoformat()}"] if since else []
    return " ".join([*parts, f"until {until.isoformat()}"] if until else parts)
