"""One candidate's word on one upload, from what the live decision was made of.

Core: nothing is scored again but by a head of the candidate's own, and the history is
the live decision's; what a candidate says is never learned. No brake's limit holds a
candidate's rules: what is counted is what the live policy did.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from schemas.records import (
    Category,
    ContentSignals,
    RiskDecision,
    ShadowDecision,
    ShadowMarket,
)
from streams.judge import Judged
from streams.merged_scores import rounded
from streams.policy import Findings, Policy, Verdict
from streams.rules.rule import SEVERITY, WrittenRule
from streams.scorers.base import Score, Scorer
from streams.shadows.share import Share

_SCORE = "score."  # What a category's name begins with in a condition.
_CATEGORIES = {f"{_SCORE}{category.lower()}": category for category in Category}


@dataclass(frozen=True, slots=True)
class Shadow:
    """A candidate that is ready to be asked; pure, so one serves every thread."""

    name: str
    policy: Policy
    share: Share
    head: Scorer | None = None  # In the place of the live one; None: the same.

    @property
    def head_sha256(self) -> str | None:
        """The SHA-256 of its own head, lower-case hex."""
        return None if self.head is None else self.head.models[0].sha256

    def decide(self, signals: ContentSignals, judged: Judged) -> ShadowDecision | None:
        """Say what the candidate would have done beside a new decision.

        None where it is not asked: the uploader is not in its share, or the upload was
        judged before.
        """
        decision, findings, said = judged.decision, judged.findings, judged.verdict
        if decision is None or findings is None or said is None:
            return None
        if not self.share.has(decision.uploader_id):
            return None
        own = self._findings(signals, judged, findings)
        verdict = self.policy.decide(own)
        return self._record(signals, decision, own, said, verdict)

    def _findings(
        self, signals: ContentSignals, judged: Judged, findings: Findings
    ) -> Findings:
        if self.head is None:
            return findings
        others = (s for s in judged.scores if s.name != self.head.name)
        scores = (*self.head.score(signals, judged.history), *others)
        return replace(findings, categories=_probabilities(scores))

    def _record(
        self,
        signals: ContentSignals,
        live: RiskDecision,
        findings: Findings,
        said: Verdict,
        verdict: Verdict,
    ) -> ShadowDecision:
        history = findings.history
        harder = max(said, verdict, key=lambda v: SEVERITY[v.action])
        return ShadowDecision(
            shadow=self.name,
            decision_id=live.decision_id,
            content_id=live.content_id,
            revision=live.revision,
            uploader_id=live.uploader_id,
            kind=live.kind,
            stage=signals.stage,
            event_time=live.event_time,
            live_action=live.action,
            action=verdict.action,
            same_degree=_effects(said) == _effects(verdict),
            live_clause=live.clause,
            clause=verdict.clause,
            category=category_of(harder, findings.categories),
            live_rules=tuple([fired.rule_id for fired in live.rules]),
            rules=tuple([fired.rule.id for fired in verdict.fired]),
            territories=findings.territories,
            by_market=tuple(_by_market(said, verdict)),
            uploads=None if history is None else int(history["uploads"]),
            percent=self.share.percent,
            live_policy=live.policy,
            policy=self.policy.ref,
            head=self.head_sha256,
        )


def category_of(
    verdict: Verdict, categories: Mapping[Category, float]
) -> Category | None:
    """Return the category of the rule that gave a verdict's action.

    The likeliest of those it reads; None where it reads none, or where no rule spoke.
    """
    for fired in verdict.fired:
        if fired.rule.reason == verdict.clause:
            read = _read_by(fired.rule)
            return max(read, key=lambda c: categories.get(c, 0.0), default=None)
    return None


def _read_by(rule: WrittenRule) -> list[Category]:
    names = (term.name for term in rule.condition.terms)
    return [_CATEGORIES[name] for name in names if name in _CATEGORIES]


def _probabilities(scores: Iterable[Score]) -> dict[Category, float]:
    """Return the highest score of each category, rounded as `judge` does."""
    found: dict[Category, float] = {}
    for score in scores:
        if score.category is not None:
            highest = max(score.value, found.get(score.category, 0.0))
            found[score.category] = rounded(highest)
    return found


def _effects(verdict: Verdict) -> tuple[object, ...]:
    return verdict.effect, [(m.market, m.effect) for m in verdict.by_market]


def _by_market(live: Verdict, shadow: Verdict) -> Iterable[ShadowMarket]:
    """Give what both say wherever either tells a territory apart."""
    if not live.by_market and not shadow.by_market:
        return
    then = {m.market: m.effect.action for m in live.by_market}
    now = {m.market: m.effect.action for m in shadow.by_market}
    for market in sorted(then.keys() | now.keys()):
        yield ShadowMarket(
            market, then.get(market, live.action), now.get(market, shadow.action)
        )
