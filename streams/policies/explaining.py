"""Why each rule of a policy fired for an upload, or didn't."""

from dataclasses import dataclass
from typing import Literal

from streams.policy import Policy, Verdict
from streams.rules.conditions import Truth, compiled
from streams.rules.findings import Findings
from streams.rules.rule import WrittenRule
from streams.rules.syntax import leaves, terms_of
from streams.rules.vocabulary import Facts, Value

Outcome = Literal["fired", "unknown", "no", "not in force", "elsewhere"]
_SHOWN_CHARS = 60  # Of a text; a transcript would fill the screen.


@dataclass(frozen=True, slots=True)
class Predicate:
    """A part of a condition, the values that it read, and whether it held."""

    text: str
    values: tuple[tuple[str, Value], ...]
    truth: Truth


@dataclass(frozen=True, slots=True)
class Trace:
    """A rule, what became of it, and its predicates."""

    rule: WrittenRule
    outcome: Outcome
    predicates: tuple[Predicate, ...]

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories whose probability was high enough for the rule."""
        held = (p for p in self.predicates if p.truth and len(p.values) == 1)
        rising = (p for p in held if " <" not in p.text)
        names = (name for p in rising for name, _ in p.values)
        return tuple(n.removeprefix("score.") for n in names if n.startswith("score."))

    @property
    def why(self) -> str:
        """The predicates that settled it, with what they found."""
        settled = {"fired": True, "no": False, "unknown": None}
        wanted = settled.get(self.outcome)
        if self.outcome == "not in force":
            return _in_force(self.rule)
        if self.outcome == "elsewhere":
            return f"for {_markets(self.rule)} only"
        # Under `not`, `and` and `or` a predicate of another truth may have settled it.
        chosen = [p for p in self.predicates if p.truth is wanted]
        shown = [_shown(predicate) for predicate in chosen or self.predicates]
        return "; ".join(shown) or "always"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The policy's word on an upload, and every rule's part in it."""

    verdict: Verdict
    traces: tuple[Trace, ...]


def explain(policy: Policy, findings: Findings) -> Explanation:
    """Decide, and say of every rule why it fired or not: fired, unknown, then the rest.

    It looks at every rule where `Policy.decide` looks at the few that may hold.
    """
    facts = Facts(findings, policy.terms)
    order: tuple[Outcome, ...] = ("fired", "unknown", "no", "not in force", "elsewhere")
    # What may be about children is not shown.
    shy = any(findings.categories.get(c, 0.0) > 0.0 for c in policy.restricted)
    traces = [_trace(rule, facts, findings, shy) for rule in policy.all_rules]
    traces.sort(key=lambda trace: order.index(trace.outcome))
    return Explanation(policy.decide(findings), tuple(traces))


def _trace(rule: WrittenRule, facts: Facts, findings: Findings, shy: bool) -> Trace:
    predicates = tuple(
        Predicate(
            str(leaf),
            tuple((t.name, _told(t.name, facts, shy)) for t in terms_of(leaf)),
            compiled(leaf)(facts),
        )
        for leaf in leaves(rule.condition.tree)
    )
    return Trace(rule, _outcome(rule, facts, findings), predicates)


def _told(name: str, facts: Facts, shy: bool) -> Value:
    is_upload_text = name == "transcript" or name.startswith("text.")
    return "not shown" if shy and is_upload_text else facts[name]


def _outcome(rule: WrittenRule, facts: Facts, findings: Findings) -> Outcome:
    time = None if findings.lacks("event_time") else findings.event_time
    if rule.valid.holds(time) is False:
        return "not in force"
    if not rule.markets.reach(findings.territories):
        return "elsewhere"
    truth = rule.truth(facts, time)
    return "unknown" if truth is None else "fired" if truth else "no"


def _shown(predicate: Predicate) -> str:
    found = " and ".join(_value(value) for _, value in predicate.values)
    return f"{predicate.text} (found {found})"


def _value(value: Value) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    cut = value if len(value) <= _SHOWN_CHARS else value[:_SHOWN_CHARS] + "…"
    return repr(cut)


def _in_force(rule: WrittenRule) -> str:
    since, until = rule.valid.since, rule.valid.until
    parts = [f"from {since.isoformat()}"] if since else []
    return " ".join([*parts, f"until {until.isoformat()}"] if until else parts)


def _markets(rule: WrittenRule) -> str:
    named = ", ".join(sorted(rule.markets.named))
    return named if rule.markets.only is not None else f"all but {named}"
