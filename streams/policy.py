"""From what was found to what is done: versioned rules, and the strictest word wins.

`policy_file` reads a policy from YAML; `judge` puts what the scorers found to it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from schemas.records import Action, Category, Missing, PolicyRef, Stage
from streams.rules.conditions import condition
from streams.rules.conflicts import (
    Candidate,
    Consequence,
    Fired,
    InMarket,
    Verdict,
)
from streams.rules.findings import MISSING_SIGNALS, Findings
from streams.rules.rule import (
    SEVERITY,
    Brake,
    Effect,
    IfMissing,
    WrittenRule,
    plainly,
)
from streams.rules.rule_index import RuleIndex
from streams.rules.softening import SecondApproval
from streams.rules.syntax import Compare
from streams.rules.vocabulary import Facts, Term, risk_term
from streams.rules.weighing import weigh
from streams.yaml_tree import Place

__all__ = [
    "MISSING_SIGNALS",
    "SEVERITY",
    "Consequence",
    "Findings",
    "Fired",
    "InMarket",
    "Policy",
    "Rule",
    "Subject",
    "Verdict",
]

Subject = Literal["category", "anomaly", "bank"]
_SPACES: dict[Subject, str] = {
    "category": "score",
    "anomaly": "anomaly",
    "bank": "bank",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of a table of thresholds: from `threshold` on, at least `action`.

    Short for a written rule with the condition `score.NAME >= THRESHOLD`, which says
    nothing where the score is missing: that is for the policy's `missing`.
    """

    subject: Subject
    name: str  # As the file says it: hate, velocity, a bank's name.
    action: Action
    threshold: float  # In [0, 1]; reached counts.
    owner: str = ""
    platform_clause: str = ""  # Of the published platform rules.
    brake: Brake | None = None
    place: Place | None = field(default=None, compare=False)  # In its file.

    @property
    def id(self) -> str:
        """The rule's name, whatever its threshold: `hate.block`."""
        bank = "bank." if self.subject == "bank" else ""
        return f"{bank}{self.name}.{self.action.lower()}"

    @property
    def clause(self) -> str:
        """The rule in one word, as decisions quote it: `hate.block>=0.92`."""
        return f"{self.id}>={self.threshold:.10g}"

    @property
    def written(self) -> WrittenRule:
        """The rule that it is short for."""
        term = risk_term(_SPACES[self.subject], self.name)
        return WrittenRule(
            id=self.id,
            condition=condition(Compare(term, ">=", float(self.threshold))),
            effect=plainly(self.action),
            owner=self.owner,
            clause=self.platform_clause,
            if_missing=IfMissing.SKIP,
            brake=self.brake,
            quoted=self.clause,
            place=self.place,
        )


@dataclass(frozen=True)
class Policy:
    """Versioned rules from scores to actions; made by `parse_policy`.

    `restricted` categories must never be shown or labelled: decisions that score on
    them belong on a topic that few may read.
    """

    id: str
    version: str
    sha256: str  # Of the file or files, lower-case hex.
    rules: tuple[Rule, ...] = ()  # The lines of thresholds; they come first …
    written: tuple[WrittenRule, ...] = ()  # … then these, in the files' order.
    missing: tuple[tuple[str, Action], ...] = ()  # transcript:audio, text, …
    missing_default: Action = Action.REVIEW
    provisional: Action = Action.REVIEW  # Least action while speech is unheard.
    restricted: frozenset[Category] = frozenset()
    second_approval: SecondApproval = field(default_factory=SecondApproval)

    @property
    def ref(self) -> PolicyRef:
        """The policy's identity, as decisions carry it."""
        return PolicyRef(self.id, self.version, self.sha256)

    @cached_property
    def all_rules(self) -> tuple[WrittenRule, ...]:
        """Every rule, the lines of thresholds written out."""
        return (*(rule.written for rule in self.rules), *self.written)

    @cached_property
    def terms(self) -> Mapping[str, Term]:
        """Every name that some rule reads."""
        return {t.name: t for rule in self.all_rules for t in rule.condition.terms}

    @cached_property
    def brakes(self) -> Mapping[str, Brake]:
        """The rules whose automatic actions are counted, by id."""
        return {rule.id: rule.brake for rule in self.all_rules if rule.brake}

    def decide(self, findings: Findings, held: Collection[str] = ()) -> Verdict:
        """Return the strictest action that anything found asks for.

        At equal action and degree the higher value gives the clause, then the policy's
        order. In each territory only the rules for it count. Rules whose ids are `held`
        ask for review where they would do anything by themselves.
        """
        consequences = tuple(
            Consequence(missing, self.action_for(missing.signal))
            for missing in findings.missing
        )
        return weigh(
            tuple(self._candidates(findings)),
            findings.territories,
            consequences,
            held=held,
            approval=self.second_approval.reason(findings),
        )

    def action_for(self, signal: str) -> Action:
        """Return what to do when a signal is missing: by full name, kind or default."""
        return dict(self.missing).get(self._clause_of(signal), self.missing_default)

    @cached_property
    def _index(self) -> RuleIndex:
        return RuleIndex(self.all_rules)

    def _candidates(self, findings: Findings) -> Iterator[Candidate]:
        """Give all that is asked for: by the rules, for what is missing, meanwhile."""
        yield Candidate(plainly(Action.ALLOW), "default.allow")
        yield from self._words_of_rules(findings)
        yield from self._for_missing(findings.missing)
        if findings.stage is Stage.SCREENED:
            clause = f"provisional.{self.provisional.lower()}"
            yield Candidate(plainly(self.provisional), clause)

    def _words_of_rules(self, findings: Findings) -> Iterator[Candidate]:
        """Give what the rules say: those that fired, and those that hold."""
        facts = Facts(findings, self.terms)
        time = None if findings.lacks("event_time") else findings.event_time
        for place in self._index.candidates(facts):
            rule = self.all_rules[place]
            truth = rule.truth(facts, time)
            if truth is False or not rule.markets.reach(findings.territories):
                continue
            if truth:
                value = rule.condition.value(facts)
                yield Candidate(rule.effect, rule.reason, value, rule.markets, rule)
            elif rule.if_missing is not IfMissing.SKIP:
                yield _untold(rule, facts)

    def _clause_of(self, signal: str) -> str:
        named = {name for name, _ in self.missing}
        kind = signal.partition(":")[0]
        return next((name for name in (signal, kind) if name in named), "default")

    def _for_missing(self, missing: tuple[Missing, ...]) -> Iterator[Candidate]:
        for lack in missing:
            clause = f"missing.{self._clause_of(lack.signal)}"
            yield Candidate(plainly(self.action_for(lack.signal)), clause)


def _untold(rule: WrittenRule, facts: Facts) -> Candidate:
    """Return what a rule says that can't be told: it fires with review, or holds."""
    unknown = rule.condition.unknown(facts) or ("event_time",)
    review, markets = Effect(Action.REVIEW), rule.markets
    if rule.if_missing is IfMissing.REVIEW:
        value = rule.condition.value(facts)
        return Candidate(review, rule.reason, value, markets, rule, unknown)
    clause = f"missing.{rule.id}"
    return Candidate(review, clause, markets=markets, unknown=unknown)
