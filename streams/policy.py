"""From what was found to what is done: a versioned table, and the strictest word wins.

`policy_file` reads it from YAML; `judge` puts what the scorers found to it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.records import Action, Category, Missing, PolicyRef, Stage

# From mild to hard: the order of the enum is the severity.
SEVERITY: dict[Action, int] = {
    action: rank for rank, action in enumerate(Action) if action is not Action.UNKNOWN
}
# The signals whose lack a policy can speak on; `transcript` also covers every
# `transcript:ROLE`.
MISSING_SIGNALS = (
    "transcript",
    "text",
    "language",
    "media",
    "mime",
    "frames",
    "hash",
    "fingerprint",
    "event_time",
)

Subject = Literal["category", "anomaly", "bank"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of the policy: from `threshold` on, at least `action`."""

    subject: Subject
    name: str  # As the file says it: hate, velocity, a bank's name.
    action: Action
    threshold: float  # In [0, 1]; reached counts.

    @property
    def clause(self) -> str:
        """The rule in one word, as decisions quote it: `hate.block>=0.92`."""
        bank = "bank." if self.subject == "bank" else ""
        return f"{bank}{self.name}.{self.action.lower()}>={self.threshold:.10g}"


@dataclass(frozen=True, slots=True)
class Findings:
    """What the scorers found in one upload, each value in [0, 1]."""

    stage: Stage
    categories: Mapping[Category, float] = field(default_factory=dict)
    anomalies: Mapping[str, float] = field(default_factory=dict)
    banks: Mapping[str, float] = field(default_factory=dict)  # Best match in each.
    missing: tuple[Missing, ...] = ()

    def value(self, rule: Rule) -> float | None:
        """Return the value a rule is about; None where nothing was found on it."""
        if rule.subject == "category":
            return self.categories.get(Category(rule.name.upper()))
        found = self.anomalies if rule.subject == "anomaly" else self.banks
        return found.get(rule.name)


@dataclass(frozen=True, slots=True)
class Consequence:
    """What the policy says to do about a missing signal."""

    missing: Missing
    action: Action


@dataclass(frozen=True, slots=True)
class Verdict:
    """The policy's word on one upload."""

    action: Action
    clause: str  # What fired: hate.block>=0.92, missing.transcript, default.allow.
    consequences: tuple[Consequence, ...] = ()  # One a missing signal, in their order.


@dataclass(frozen=True, slots=True)
class _Candidate:
    action: Action
    clause: str
    value: float = -1.0  # What isn't a score comes after what is, at equal action.

    @property
    def rank(self) -> tuple[int, float]:
        return SEVERITY[self.action], self.value


@dataclass(frozen=True, slots=True)
class Policy:
    """Versioned rules from scores to actions; made by `parse_policy`.

    `restricted` categories must never be shown or labelled: decisions that score on
    them belong on a topic that few may read.
    """

    id: str
    version: str
    sha256: str  # Of the file, lower-case hex.
    rules: tuple[Rule, ...] = ()
    missing: tuple[tuple[str, Action], ...] = ()  # transcript:audio, text, …
    missing_default: Action = Action.REVIEW
    provisional: Action = Action.REVIEW  # Least action while speech is unheard.
    restricted: frozenset[Category] = frozenset()

    @property
    def ref(self) -> PolicyRef:
        """The policy's identity, as decisions carry it."""
        return PolicyRef(self.id, self.version, self.sha256)

    def decide(self, findings: Findings) -> Verdict:
        """Return the strictest action that anything found asks for.

        At equal action the higher value gives the clause, then the policy's order.
        """
        candidates = [
            _Candidate(Action.ALLOW, "default.allow"),
            *self._reached(findings),
            *self._for_missing(findings.missing),
        ]
        if findings.stage is Stage.SCREENED:
            clause = f"provisional.{self.provisional.lower()}"
            candidates.append(_Candidate(self.provisional, clause))
        strictest = max(candidates, key=lambda candidate: candidate.rank)
        consequences = tuple(
            Consequence(missing, self.action_for(missing.signal))
            for missing in findings.missing
        )
        return Verdict(strictest.action, strictest.clause, consequences)

    def action_for(self, signal: str) -> Action:
        """Return what to do when a signal is missing: by full name, kind or default."""
        return dict(self.missing).get(self._clause_of(signal), self.missing_default)

    def _clause_of(self, signal: str) -> str:
        named = {name for name, _ in self.missing}
        kind = signal.partition(":")[0]
        return next((name for name in (signal, kind) if name in named), "default")

    def _reached(self, findings: Findings) -> Iterator[_Candidate]:
        for rule in self.rules:
            value = findings.value(rule)
            if value is not None and value >= rule.threshold:
                yield _Candidate(rule.action, rule.clause, value)

    def _for_missing(self, missing: tuple[Missing, ...]) -> Iterator[_Candidate]:
        for lack in missing:
            clause = f"missing.{self._clause_of(lack.signal)}"
            yield _Candidate(self.action_for(lack.signal), clause)
